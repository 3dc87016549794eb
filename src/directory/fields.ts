import { DirectoryError } from './directory-error.ts';

/** Patterns of the values in directory texts (spec/directory.md section 1). */
export const NODE_ID = '[0-9a-f]{32}';
export const HASH = '[0-9a-f]{64}';
/** A whole number without sign or leading zeros, which a double holds exactly. */
export const NUMBER = '(?:0|[1-9][0-9]{0,15})';
/** `mainnet`, `testnet4`, `signet`, `regtest`. */
export const NETWORK = '[a-z][a-z0-9]{0,15}';
/** A v3 address ends in its version, 3, which is the letter d. */
export const ONION_HOST = '[a-z2-7]{55}d\\.onion';
/** The last character of 32 or of 41 bytes in base64 has two bits to spare, and they are zero. */
export const BASE64_OF_32 = '[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=';
export const BASE64_OF_33 = '[A-Za-z0-9+/]{44}';
export const BASE64_OF_41 = '[A-Za-z0-9+/]{54}[AEIMQUYcgkosw048]=';
export const BASE64_OF_64 = '[A-Za-z0-9+/]{85}[AQgw]==';

/** @throws DirectoryError `malformed` when the text, which matches `NUMBER`, is above the maximum. */
export function parseNumber(text: string, max: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (value > max) throw new DirectoryError('malformed', `a number above ${max}`);
  return value;
}

/** @throws DirectoryError `malformed`. */
export function parsePort(text: string): number {
  const port = parseNumber(text, 65_535);
  if (port === 0) throw new DirectoryError('malformed', 'port 0');
  return port;
}

const SEXTETS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Of base64 that one of the patterns has matched. */
export function firstByteOf(base64: string): number {
  return (SEXTETS.indexOf(base64.charAt(0)) << 2) | (SEXTETS.indexOf(base64.charAt(1)) >> 4);
}

/** The bytes of base64 that one of the patterns has matched, and so is known to be canonical. */
export function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
