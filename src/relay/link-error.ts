/**
 * Why a link ended: `closed` by either end; `hello` not said in time, or of another network;
 * `idle` for too long; `stalled` when the peer does not read; `protocol` when the peer sent what it
 * may not; `flood` when it kept asking after it was refused; `no-answer` in time.
 */
export type LinkErrorCode =
  'closed' | 'hello' | 'idle' | 'stalled' | 'protocol' | 'flood' | 'no-answer';

/** A link to a relay or gateway, or one request on it, failed. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
