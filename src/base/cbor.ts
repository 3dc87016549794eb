import { decode, encode } from 'cborg';
import { encodedLength } from 'cborg/length';
import { equalBytes, MalformedBytesError } from './bytes.ts';

/** The CBOR data model used on the wire. Maps have small integer keys. */
export type Cbor =
  null | number | bigint | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number, Cbor>;

/** Deterministic encoding (RFC 8949 section 4.2.1). */
export function encodeCbor(value: Cbor): Uint8Array {
  return encode(value);
}

/** How many bytes `encodeCbor` makes of the value, without making them. */
export function cborLength(value: Cbor): number {
  return encodedLength(value);
}

/**
 * Accepts only what `encodeCbor` writes: definite lengths, shortest integers, sorted unique keys,
 * nothing left over.
 * @throws MalformedBytesError otherwise.
 */
export function decodeCbor(bytes: Uint8Array): Cbor {
  let value: Cbor;
  try {
    value = decode(bytes, {
      strict: true,
      useMaps: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      rejectDuplicateMapKeys: true,
    }) as Cbor;
  } catch (cause) {
    throw new MalformedBytesError('not CBOR', { cause });
  }
  // The decoder does not look at the order of map keys.
  if (!equalBytes(encode(value), bytes)) throw new MalformedBytesError('not canonical CBOR');
  return value;
}
