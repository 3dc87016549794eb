/** What a gateway says inside a sealed, signed reply: spec/relay.md section 6.1. */
export const INNER_CODES = {
  OK: 0,
  BAD_REQUEST: 1,
  UNSUPPORTED: 2,
  BUSY: 3,
  TIME_SKEW: 4,
  DIRECTORY_MISMATCH: 5,
  NOT_SYNCED: 6,
  TX_REJECTED: 7,
  CURSOR_STALE: 8,
  HISTORY_TOO_LONG: 9,
  TOKEN_NEEDED: 10,
  NOT_FOUND: 11,
} as const;

/** What a node says in the clear, signed, about a cell: spec/relay.md section 6.2. */
export const OUTER_CODES = {
  KEY_UNKNOWN: 0x81,
  OPEN_FAILED: 0x82,
  REPLAY: 0x83,
  OVERLOAD: 0x84,
  UNREACHABLE: 0xa1,
  TIMEOUT: 0xa2,
  NOT_LISTED: 0xa3,
  QUOTA: 0xa4,
  EXPIRED: 0xa5,
} as const;

export type InnerCode = keyof typeof INNER_CODES;
export type OuterCode = keyof typeof OUTER_CODES;

/**
 * The codes of the wire, and what this end found wrong with the other: BAD_FRAME (the link is
 * closed), BAD_KEY_CONFIG, BAD_REPLY (does not open, or not what the protocol allows) and
 * BAD_SIGNATURE.
 */
export type RelayErrorCode =
  | Exclude<InnerCode, 'OK'>
  | OuterCode
  | 'BAD_FRAME'
  | 'BAD_KEY_CONFIG'
  | 'BAD_REPLY'
  | 'BAD_SIGNATURE';

/** The other end, or what it sent, cannot be used. Its words never repeat what was sent. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: RelayErrorCode;

  constructor(code: RelayErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

const innerNames = new Map(Object.entries(INNER_CODES).map(([name, code]) => [code, name]));
const outerNames = new Map(Object.entries(OUTER_CODES).map(([name, code]) => [code, name]));

export function innerCodeOf(value: number): InnerCode | undefined {
  return (innerNames as ReadonlyMap<number, string>).get(value) as InnerCode | undefined;
}

export function outerCodeOf(value: number): OuterCode | undefined {
  return (outerNames as ReadonlyMap<number, string>).get(value) as OuterCode | undefined;
}
