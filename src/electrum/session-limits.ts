import { MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from './protocol.ts';

/** What one connection may take of a server. */
export interface SessionLimits {
  /** The longest line that is read. */
  readonly maxRequestBytes: number;
  /** The longest line that is sent; a longer reply becomes an error. */
  readonly maxReplyBytes: number;
  /**
   * The longest reply to a single request of a client that speaks 1.4: Electrum 4.3.4, which never
   * sends batches, hangs up on more than 1,000,000.
   */
  readonly maxReplyBytesOf14: number;
  /** How many characters may wait for a client that does not read. */
  readonly maxWaitingChars: number;
  /** The most requests of one batch. */
  readonly maxBatch: number;
  /** How many batches are worked on at once; then reading waits. */
  readonly maxBatches: number;
  /** How many requests are worked on at once; then reading waits. */
  readonly maxConcurrent: number;
  /** After this many lines that are no requests the connection is closed. */
  readonly maxErrors: number;
  /** How long a client may send no whole line. */
  readonly idleMs: number;
  /** How long a client may leave a reply unread. */
  readonly stallMs: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  maxRequestBytes: MAX_REQUEST_BYTES,
  maxReplyBytes: MAX_REPLY_BYTES,
  maxReplyBytesOf14: MAX_REPLY_BYTES,
  maxWaitingChars: 4 * MAX_REPLY_BYTES,
  maxBatch: 500,
  maxBatches: 4,
  maxConcurrent: 100,
  maxErrors: 10,
  idleMs: 600_000,
  stallMs: 60_000,
};
