import { fromUtf8, MalformedBytesError, utf8 } from './bytes.ts';
import type { Cbor } from './cbor.ts';

/**
 * A map with no keys but these. Missing ones show when they are read.
 * @throws MalformedBytesError otherwise.
 */
export function mapOf(value: Cbor | undefined, keys: readonly number[]): ReadonlyMap<number, Cbor> {
  if (!(value instanceof Map)) throw new MalformedBytesError('not a map');
  const map = value as ReadonlyMap<number, Cbor>;
  for (const key of map.keys()) {
    if (!keys.includes(key)) throw new MalformedBytesError('a key that is not known');
  }
  return map;
}

/** @throws MalformedBytesError unless the value is an array of `min` to `max` items. */
export function arrayOf(
  value: Cbor | undefined,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): readonly Cbor[] {
  if (!Array.isArray(value)) throw new MalformedBytesError('not an array');
  if (value.length < min || value.length > max) throw new MalformedBytesError('array length');
  return value as readonly Cbor[];
}

/** @throws MalformedBytesError unless the value is an integer from `min` to `max`. */
export function integerOf(
  value: Cbor | undefined,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new MalformedBytesError('not an integer of this range');
  }
  return value;
}

/** @throws MalformedBytesError unless the value is a byte string of `length` bytes. */
export function bytesOf(value: Cbor | undefined, length: number): Uint8Array {
  return boundedBytesOf(value, { min: length, max: length });
}

/** @throws MalformedBytesError unless the value is a byte string of `min` to `max` bytes. */
export function boundedBytesOf(
  value: Cbor | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw new MalformedBytesError('not a byte string of this length');
  }
  return value;
}

/** @throws MalformedBytesError unless the value is a text of at most `maxBytes` bytes of UTF-8. */
export function textOf(value: Cbor | undefined, maxBytes: number): string {
  if (typeof value !== 'string') throw new MalformedBytesError('not a text');
  const bytes = utf8(value);
  if (bytes.length > maxBytes) throw new MalformedBytesError('text too long');
  return fromUtf8(bytes);
}
