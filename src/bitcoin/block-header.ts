import { fromHex, MalformedBytesError, reverseBytes, toHex } from '../base/bytes.ts';
import { doubleSha256 } from './double-sha256.ts';

export const HEADER_BYTES = 80;
/** Where the fields stand that are read without parsing the rest. */
export const PREVIOUS_HASH_OFFSET = 4;
export const TIME_OFFSET = 68;
export const BITS_OFFSET = 72;

/** The fields in the order of the 80 bytes. Hashes are hex in display order. */
export interface BlockHeaderFields {
  readonly version: number;
  readonly previousHash: string;
  readonly merkleRoot: string;
  /** Seconds since the Unix epoch. */
  readonly time: number;
  /** The target in compact form. */
  readonly bits: number;
  readonly nonce: number;
}

export interface BlockHeader extends BlockHeaderFields {
  readonly hash: string;
}

/** @throws MalformedBytesError unless there are 80 bytes. */
export function parseHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length !== HEADER_BYTES) throw new MalformedBytesError('a block header has 80 bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return {
    version: view.getInt32(0, true),
    previousHash: displayHex(bytes.subarray(4, 36)),
    merkleRoot: displayHex(bytes.subarray(36, 68)),
    time: view.getUint32(68, true),
    bits: view.getUint32(72, true),
    nonce: view.getUint32(76, true),
    hash: hashOf(bytes),
  };
}

export function encodeHeader(header: BlockHeaderFields): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, header.version, true);
  bytes.set(reverseBytes(fromHex(header.previousHash)), 4);
  bytes.set(reverseBytes(fromHex(header.merkleRoot)), 36);
  view.setUint32(68, header.time, true);
  view.setUint32(72, header.bits, true);
  view.setUint32(76, header.nonce, true);
  return bytes;
}

/** The block hash of an 80-byte header, hex in display order. */
export function hashOf(header: Uint8Array): string {
  return displayHex(doubleSha256(header));
}

function displayHex(hash: Uint8Array): string {
  return toHex(reverseBytes(hash));
}
