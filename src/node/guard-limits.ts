/** What strangers may take of an Electrum server. A visitor is a Tor circuit, or an address of a LAN. */
export interface GuardLimits {
  readonly connections: number;
  readonly connectionsPerVisitor: number;
  /** Visitors whose quota is remembered. */
  readonly visitors: number;
  /** Requests of one visitor; each `bytesPerRequest` of a line count as one more. */
  readonly requests: { readonly perSecond: number; readonly burst: number };
  readonly bytesPerRequest: number;
  /** Bytes of answers to one visitor. */
  readonly answers: { readonly perSecond: number; readonly burst: number };
  /** The longest line that is read: the largest standard transaction in hex has room. */
  readonly lineBytes: number;
  /** A line of more bytes is long. Only `longLines` are read at once by all clients together. */
  readonly longBytes: number;
  readonly longLines: number;
  /** How long a long line may take, once its turn has come. */
  readonly longLineMs: number;
  readonly batch: number;
  /** Lines without an answer; with more, reading waits. */
  readonly unanswered: number;
  readonly subscriptionsPerConnection: number;
  /** After this many lines that are no requests the connection is closed. */
  readonly mistakes: number;
  /** Until the first whole line. */
  readonly greetingMs: number;
  /** Without a whole line. */
  readonly idleMs: number;
  /** How long a client may leave unread what was written. */
  readonly stallMs: number;
}

/**
 * Room for a wallet with thousands of transactions, which Electrum fetches in minutes over Tor.
 * Memory, besides the program: about 300 kB for each connection, and 4 MB for each long line.
 */
export const DEFAULT_GUARD_LIMITS: GuardLimits = {
  connections: 48,
  connectionsPerVisitor: 8,
  visitors: 4096,
  requests: { perSecond: 50, burst: 1000 },
  bytesPerRequest: 4096,
  answers: { perSecond: 1_000_000, burst: 64_000_000 },
  lineBytes: 850_000,
  longBytes: 65_536,
  longLines: 8,
  longLineMs: 60_000,
  batch: 250,
  unanswered: 64,
  subscriptionsPerConnection: 5000,
  mistakes: 10,
  greetingMs: 30_000,
  idleMs: 660_000,
  stallMs: 60_000,
};
