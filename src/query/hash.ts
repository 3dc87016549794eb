import { fromHex, MalformedBytesError, toHex } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { boundedBytesOf, bytesOf } from '../base/cbor-fields.ts';

const HASH_BYTES = 32;

/** @throws MalformedBytesError unless the value is 32 bytes. */
export function hashOf(value: Cbor | undefined): string {
  return toHex(bytesOf(value, HASH_BYTES));
}

/** One after the other in one byte string. */
export function joinHashes(hashes: readonly string[]): Uint8Array {
  return fromHex(hashes.join(''));
}

/** @throws MalformedBytesError unless the value is up to `max` hashes, one after the other. */
export function splitHashes(value: Cbor | undefined, max: number): readonly string[] {
  const bytes = boundedBytesOf(value, { min: 0, max: max * HASH_BYTES });
  if (bytes.length % HASH_BYTES !== 0) throw new MalformedBytesError('not whole hashes');
  return toHex(bytes).match(/.{64}/g) ?? [];
}
