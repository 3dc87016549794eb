import { ByteReader } from '../base/byte-reader.ts';
import { concatBytes, fromHex, MalformedBytesError, toHex, utf8 } from '../base/bytes.ts';
import type { NodeId } from '../directory/node-id.ts';
import {
  CELL_BYTES,
  MAILBOX_BYTES,
  MAX_DIRECTORY_BYTES,
  MAX_HEADERS,
  MAX_PUT_BYTES,
  MAX_TAKEN_TEXT_BYTES,
  NODE_ID_BYTES,
  PART_BYTES,
  REPLY_BYTES,
} from './limits.ts';
import { OUTER_CODES, type OuterCode, outerCodeOf, RelayError } from './relay-error.ts';

// The payloads of frames, field by field: spec/relay.md section 5.3. Every decoder throws RelayError
// BAD_FRAME when a field is out of range or a byte is left over.

export interface Hello {
  /** 0 mainnet, 1 testnet4, 2 signet, 3 regtest. */
  readonly network: number;
  /** A set of bits; those not known are ignored. */
  readonly capabilities: number;
  /** The first 16 bytes of the hash of the consensus that this end goes by; zeros when it has none. */
  readonly consensusHash: Uint8Array;
  /** How many links of clients this end serves, rounded down to a power of two, at most 32768. */
  readonly clients: number;
}

const HELLO_PADDING_BYTES = 41;

export function encodeHello({ network, capabilities, consensusHash, clients }: Hello): Uint8Array {
  const payload = new Uint8Array(23 + HELLO_PADDING_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint8(0, network);
  view.setUint32(1, capabilities);
  payload.set(consensusHash, 5);
  view.setUint16(21, clients);
  return payload;
}

export function decodeHello(payload: Uint8Array): Hello {
  return readAll(payload, (reader) => {
    const network = atMost(3, reader.u8());
    const capabilities = reader.u32();
    const consensusHash = reader.bytes(16);
    const clients = powerOfTwoOrZero(reader.u16());
    new ByteReader(reader.bytes(HELLO_PADDING_BYTES)).zeros();
    return { network, capabilities, consensusHash, clients };
  });
}

export interface Forward {
  readonly nodeId: NodeId;
  /** The Unix minute to pass the cell on, or 0 for now. */
  readonly release: number;
  /** 16 bytes; zeros when release is 0. */
  readonly mailbox: Uint8Array;
  /** 2048 bytes. */
  readonly cell: Uint8Array;
}

export function encodeForward({ nodeId, release, mailbox, cell }: Forward): Uint8Array {
  const payload = new Uint8Array(NODE_ID_BYTES + 4 + MAILBOX_BYTES + CELL_BYTES);
  payload.set(fromHex(nodeId), 0);
  new DataView(payload.buffer).setUint32(NODE_ID_BYTES, release);
  payload.set(mailbox, NODE_ID_BYTES + 4);
  payload.set(cell, NODE_ID_BYTES + 4 + MAILBOX_BYTES);
  return payload;
}

export function decodeForward(payload: Uint8Array): Forward {
  return readAll(payload, (reader) => ({
    nodeId: toHex(reader.bytes(NODE_ID_BYTES)),
    release: reader.u32(),
    mailbox: reader.bytes(MAILBOX_BYTES),
    cell: reader.bytes(CELL_BYTES),
  }));
}

/** The payload of BACK and of OUT. */
export interface Answer {
  readonly status: 'OK' | OuterCode;
  /** 4096 bytes: a sealed reply, or with an outer code the signature of 64 bytes, then zeros. */
  readonly body: Uint8Array;
}

const ANSWER_HEAD_BYTES = 8;

export function encodeAnswer({ status, body }: Answer): Uint8Array {
  const payload = new Uint8Array(ANSWER_HEAD_BYTES + REPLY_BYTES);
  payload[0] = status === 'OK' ? 0 : OUTER_CODES[status];
  payload.set(body, ANSWER_HEAD_BYTES);
  return payload;
}

export function decodeAnswer(payload: Uint8Array): Answer {
  return readAll(payload, (reader) => {
    const value = reader.u8();
    const status = value === 0 ? 'OK' : outerCodeOf(value);
    if (status === undefined) throw new MalformedBytesError('status not known');
    new ByteReader(reader.bytes(ANSWER_HEAD_BYTES - 1)).zeros();
    const body = reader.bytes(REPLY_BYTES);
    if (status !== 'OK') new ByteReader(body.subarray(64)).zeros();
    return { status, body };
  });
}

/** What a client asks of, or has received from, one mailbox: COLLECT and ACK. */
export interface MailboxRange {
  /** 16 bytes. */
  readonly mailbox: Uint8Array;
  readonly max: number;
}

export function encodeMailboxRange({ mailbox, max }: MailboxRange): Uint8Array {
  const payload = new Uint8Array(MAILBOX_BYTES + 2);
  payload.set(mailbox);
  new DataView(payload.buffer).setUint16(MAILBOX_BYTES, max);
  return payload;
}

export function decodeMailboxRange(payload: Uint8Array): MailboxRange {
  return readAll(payload, (reader) => ({
    mailbox: reader.bytes(MAILBOX_BYTES),
    max: reader.u16(),
  }));
}

export interface Receipt {
  /** SHA-256 of the cells of the batch, one after the other. */
  readonly batchHash: Uint8Array;
  /** Unix seconds. */
  readonly time: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

export function encodeReceipt({ batchHash, time, signature }: Receipt): Uint8Array {
  const payload = new Uint8Array(100);
  payload.set(batchHash);
  new DataView(payload.buffer).setUint32(32, time);
  payload.set(signature, 36);
  return payload;
}

export function decodeReceipt(payload: Uint8Array): Receipt {
  return readAll(payload, (reader) => ({
    batchHash: reader.bytes(32),
    time: reader.u32(),
    signature: reader.bytes(64),
  }));
}

export interface DirectoryGet {
  /** One byte: spec/directory.md sections 7 and 9.3. */
  readonly kind: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

export function encodeDirectoryGet({ kind, digest }: DirectoryGet): Uint8Array {
  const payload = new Uint8Array(33);
  payload[0] = kind;
  payload.set(digest, 1);
  return payload;
}

export function decodeDirectoryGet(payload: Uint8Array): DirectoryGet {
  return readAll(payload, (reader) => {
    const kind = reader.u8();
    const digest = reader.bytes(32);
    if (kind === 0) new ByteReader(digest).zeros();
    return { kind, digest };
  });
}

/**
 * One part of something longer: DIRECTORY_DATA and DIRECTORY_PUT. Every part but the last holds 4064
 * bytes. `of` 0 with no data: not held.
 */
export interface Part {
  readonly part: number;
  readonly of: number;
  readonly data: Uint8Array;
}

export function encodePart({ part, of, data }: Part): Uint8Array {
  const payload = new Uint8Array(4 + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, part);
  view.setUint16(2, of);
  payload.set(data, 4);
  return payload;
}

/** `maxBytes` bounds what all parts together may hold. */
export function decodePart(payload: Uint8Array, maxBytes: number = MAX_DIRECTORY_BYTES): Part {
  return readAll(payload, (reader) => {
    const part = reader.u16();
    const of = atMost(Math.ceil(maxBytes / PART_BYTES), reader.u16());
    const data = reader.rest();
    const lengthFits =
      of === 0
        ? part === 0 && data.length === 0
        : part === of - 1
          ? data.length > 0
          : part < of && data.length === PART_BYTES;
    if (!lengthFits) throw new MalformedBytesError('not a part');
    return { part, of, data };
  });
}

/** What DIRECTORY_PUT brings (spec/directory.md section 16). */
export const PUT_KINDS = { descriptor: 0, bond: 1, cosignature: 2, evidence: 3 } as const;

/** One part of what a peer wants an authority to take: of at least one, none of them empty. */
export interface PutPart extends Part {
  /** One of `PUT_KINDS`, or any other byte. */
  readonly kind: number;
}

export function encodePut({ kind, ...part }: PutPart): Uint8Array {
  return concatBytes(Uint8Array.of(kind), encodePart(part));
}

export function decodePut(payload: Uint8Array): PutPart {
  const [kind = 0] = payload;
  const part = decodePart(payload.subarray(1), MAX_PUT_BYTES);
  if (part.of === 0) throw new RelayError('BAD_FRAME', 'nothing in it');
  return { kind, ...part };
}

/** `refused` holds for the same bytes at any time, `later` only for now. */
const VERDICTS = ['taken', 'refused', 'later'] as const;

/** The answer to the last part of a DIRECTORY_PUT. */
export interface Taken {
  readonly verdict: (typeof VERDICTS)[number];
  /**
   * A code of spec/directory.md section 8, a colon and words. When it was taken it is empty, or says what of
   * it does not count. Printable ASCII, at most 200 characters.
   */
  readonly text: string;
}

/** A text that is too long is cut; what is not printable becomes a question mark. */
export function encodeTaken({ verdict, text }: Taken): Uint8Array {
  const printable = text.slice(0, MAX_TAKEN_TEXT_BYTES).replace(/[^ -~]/g, '?');
  return concatBytes(Uint8Array.of(VERDICTS.indexOf(verdict)), utf8(printable));
}

export function decodeTaken(payload: Uint8Array): Taken {
  return readAll(payload, (reader) => {
    const verdict = VERDICTS[reader.u8()];
    const text = Buffer.from(reader.rest()).toString('latin1');
    const isFit = /^[ -~]*$/.test(text) && (text !== '' || verdict === 'taken');
    if (verdict === undefined || !isFit) throw new MalformedBytesError('not a verdict');
    return { verdict, text };
  });
}

export interface HeadersGet {
  readonly start: number;
  /** 1 to 2016. */
  readonly count: number;
}

export function encodeHeadersGet({ start, count }: HeadersGet): Uint8Array {
  const payload = new Uint8Array(6);
  const view = new DataView(payload.buffer);
  view.setUint32(0, start);
  view.setUint16(4, count);
  return payload;
}

export function decodeHeadersGet(payload: Uint8Array): HeadersGet {
  return readAll(payload, (reader) => {
    const start = reader.u32();
    const count = atMost(MAX_HEADERS, reader.u16());
    if (count === 0) throw new MalformedBytesError('no headers asked for');
    return { start, count };
  });
}

export interface Quota {
  readonly cellsPerSecond: number;
  readonly burst: number;
  /** Seconds to wait before the next cell. */
  readonly retry: number;
}

export function encodeQuota({ cellsPerSecond, burst, retry }: Quota): Uint8Array {
  const payload = new Uint8Array(10);
  const view = new DataView(payload.buffer);
  view.setUint32(0, cellsPerSecond);
  view.setUint32(4, burst);
  view.setUint16(8, retry);
  return payload;
}

export function decodeQuota(payload: Uint8Array): Quota {
  return readAll(payload, (reader) => ({
    cellsPerSecond: reader.u32(),
    burst: reader.u32(),
    retry: reader.u16(),
  }));
}

function readAll<T>(payload: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(payload);
  try {
    const value = read(reader);
    reader.end();
    return value;
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new RelayError('BAD_FRAME', cause.message, { cause });
  }
}

function powerOfTwoOrZero(value: number): number {
  if ((value & (value - 1)) !== 0) throw new MalformedBytesError('not a power of two');
  return value;
}

function atMost(max: number, value: number): number {
  if (value > max) throw new MalformedBytesError('out of range');
  return value;
}
