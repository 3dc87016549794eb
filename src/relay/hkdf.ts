import { createHmac } from 'node:crypto';

/** HKDF-Extract with SHA-256 (RFC 5869 section 2.2). */
export function extract(salt: Uint8Array, key: Uint8Array): Uint8Array {
  return createHmac('sha256', salt).update(key).digest();
}

const FIRST_BLOCK = Uint8Array.of(1);

/**
 * HKDF-Expand with SHA-256 (RFC 5869 section 2.3) for up to 32 bytes, which is one block.
 * @throws RangeError when asked for more.
 */
export function expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 32) throw new RangeError('more than one block of HKDF');
  return createHmac('sha256', prk).update(info).update(FIRST_BLOCK).digest().subarray(0, length);
}
