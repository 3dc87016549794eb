import { ByteReader } from '../base/byte-reader.ts';
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';

/** Where to read on, in the words of the gateway: only with the same tip does the index mean anything. */
export interface Cursor {
  readonly tipHash: string;
  /** Of an entry, or of a byte of a transaction. */
  readonly index: number;
}

export const CURSOR_BYTES = 36;

/** `tip hash 32 | index u32` (spec/relay.md section 4.2). */
export function encodeCursor({ tipHash, index }: Cursor): Uint8Array {
  const indexBytes = new Uint8Array(4);
  new DataView(indexBytes.buffer).setUint32(0, index);
  return concatBytes(fromHex(tipHash), indexBytes);
}

/** @throws MalformedBytesError unless there are 36 bytes. */
export function decodeCursor(bytes: Uint8Array): Cursor {
  const reader = new ByteReader(bytes);
  const cursor = { tipHash: toHex(reader.bytes(32)), index: reader.u32() };
  reader.end();
  return cursor;
}
