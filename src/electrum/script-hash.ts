import { hash } from 'node:crypto';
import { reverseBytes, toHex } from '../base/bytes.ts';

/** The name Electrum servers give an output script: its SHA-256, last byte first, in hex. */
export function scriptHashOf(script: Uint8Array): string {
  return toHex(reverseBytes(hash('sha256', script, 'buffer')));
}
