import { hkdfSync, randomBytes } from 'node:crypto';
import { aeadOpen, aeadSeal, CHACHA20_POLY1305, NONCE_BYTES, TAG_BYTES } from '../base/aead.ts';
import { ByteReader } from '../base/byte-reader.ts';
import { concatBytes, equalBytes, utf8 } from '../base/bytes.ts';

/** A file of sealed pages is one head and then pages, each of this size. */
export const PAGE_BYTES = 4096;

const NUMBER_BYTES = 4;
const COUNTERS_BYTES = 8;
/** What of a record fits a page. */
export const PAGE_ROOM = PAGE_BYTES - NUMBER_BYTES - NONCE_BYTES - COUNTERS_BYTES - TAG_BYTES;

const MAGIC = utf8('sotto pages 1\n\0\0');
const SALT_BYTES = 16;
const CHECK_BYTES = 16;
const KEY_BYTES = CHACHA20_POLY1305.keyBytes;

/** One page, opened. */
export interface Page {
  /** All pages with a lower number were on the disk when it was written. */
  readonly synced: number;
  /** Bytes of its record from this page on. */
  readonly left: number;
  /** The record's bytes in this page, then zeros: `PAGE_ROOM` bytes. */
  readonly room: Uint8Array;
}

/** `magic 16 | salt 16 | check 16 | zeros`, a page long; and the key of this one file. */
export function newHead(key: Uint8Array): {
  readonly head: Uint8Array;
  readonly fileKey: Uint8Array;
} {
  const salt = randomBytes(SALT_BYTES);
  const { fileKey, check } = derive(key, salt);
  const head = new Uint8Array(PAGE_BYTES);
  head.set(concatBytes(MAGIC, salt, check));
  return { head, fileKey };
}

/** The key of a file with this head, or undefined when it is damaged or was made with another key. */
export function openHead(head: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  if (head.length !== PAGE_BYTES) return undefined;
  const reader = new ByteReader(head);
  const magic = reader.bytes(MAGIC.length);
  const { fileKey, check } = derive(key, reader.bytes(SALT_BYTES));
  const same = equalBytes(reader.bytes(CHECK_BYTES), check) && equalBytes(magic, MAGIC);
  return same ? fileKey : undefined;
}

/** `number u32 | nonce 12 | sealed (synced u32 | left u32 | room) | tag 16`. */
export function sealPage(fileKey: Uint8Array, number: number, page: Page): Uint8Array {
  const text = new Uint8Array(COUNTERS_BYTES + PAGE_ROOM);
  const view = new DataView(text.buffer);
  view.setUint32(0, page.synced);
  view.setUint32(4, page.left);
  text.set(page.room, COUNTERS_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const aad = numberBytes(number);
  return concatBytes(
    aad,
    nonce,
    aeadSeal({ aead: CHACHA20_POLY1305, key: fileKey, nonce, text, aad }),
  );
}

/** A page and the number under which it was sealed; undefined when it is damaged. */
export function openPage(
  fileKey: Uint8Array,
  bytes: Uint8Array,
): (Page & { readonly number: number }) | undefined {
  const aad = bytes.subarray(0, NUMBER_BYTES);
  const nonce = bytes.subarray(NUMBER_BYTES, NUMBER_BYTES + NONCE_BYTES);
  const sealed = bytes.subarray(NUMBER_BYTES + NONCE_BYTES);
  const text = aeadOpen({ aead: CHACHA20_POLY1305, key: fileKey, nonce, text: sealed, aad });
  if (text === undefined) return undefined;
  const reader = new ByteReader(text);
  const [synced, left, room] = [reader.u32(), reader.u32(), reader.rest()];
  return { number: new ByteReader(aad).u32(), synced, left, room };
}

function derive(
  key: Uint8Array,
  salt: Uint8Array,
): { readonly fileKey: Uint8Array; readonly check: Uint8Array } {
  const info = utf8('sotto/pages/1');
  const derived = new Uint8Array(hkdfSync('sha256', key, salt, info, KEY_BYTES + CHECK_BYTES));
  return { fileKey: derived.subarray(0, KEY_BYTES), check: derived.subarray(KEY_BYTES) };
}

function numberBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}
