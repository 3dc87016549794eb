import { hash } from 'node:crypto';
import { concatBytes, fromHex, MalformedBytesError, utf8 } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { boundedBytesOf, bytesOf, integerOf, mapOf } from '../base/cbor-fields.ts';
import type { NodeId } from '../directory/node-id.ts';
import { MAX_CURSOR_BYTES, MAX_TOKEN_BYTES } from './limits.ts';
import {
  INNER_CODES,
  type InnerCode,
  innerCodeOf,
  OUTER_CODES,
  type OuterCode,
  RelayError,
  type RelayErrorCode,
} from './relay-error.ts';

/** What a cell carries: spec/relay.md section 3.1. */
export interface Request {
  readonly op: number;
  /** Unix minute. */
  readonly minute: number;
  /** The first 16 bytes of the hash of the consensus that the client goes by. */
  readonly consensusHash: Uint8Array;
  /** 16 random bytes: two requests never have the same bytes, nor their replies the same signature. */
  readonly nonce: Uint8Array;
  readonly args: Cbor;
  /** 1 to 64 bytes. */
  readonly token?: Uint8Array;
}

/** What a reply body carries, without its signature: spec/relay.md section 3.2. */
export interface Reply {
  readonly code: InnerCode;
  readonly tipHeight: number;
  /** 32 bytes, in display order. */
  readonly tipHash: Uint8Array;
  readonly body: Cbor;
  /** There is more to read: 1 to 36 bytes to hand back in the same question. */
  readonly cursor?: Uint8Array;
}

const MAX_U32 = 0xffff_ffff;

export function encodeRequest(request: Request): Uint8Array {
  const map = new Map<number, Cbor>([
    [1, request.op],
    [2, request.minute],
    [3, request.consensusHash],
    [4, request.nonce],
    [5, request.args],
  ]);
  if (request.token !== undefined) map.set(6, request.token);
  return encodeCbor(map);
}

/** @throws RelayError BAD_REQUEST unless the bytes are one that `encodeRequest` writes. */
export function decodeRequest(bytes: Uint8Array): Request {
  return refusing('BAD_REQUEST', () => {
    const map = mapOf(decodeCbor(bytes), [1, 2, 3, 4, 5, 6]);
    const args = map.get(5);
    if (args === undefined) throw new MalformedBytesError('no args');
    const request = {
      op: integerOf(map.get(1), { max: 255 }),
      minute: integerOf(map.get(2), { max: MAX_U32 }),
      consensusHash: bytesOf(map.get(3), 16),
      nonce: bytesOf(map.get(4), 16),
      args,
    };
    if (!map.has(6)) return request;
    return { ...request, token: boundedBytesOf(map.get(6), { min: 1, max: MAX_TOKEN_BYTES }) };
  });
}

/** What the signature of a reply binds: the gateway, and the CBOR of the request it answers. */
export interface ReplyContext {
  readonly nodeId: NodeId;
  readonly request: Uint8Array;
}

export interface EncodeReply extends ReplyContext {
  readonly reply: Reply;
  /** By the gateway's reply key: 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The signed CBOR of a reply. */
export function encodeReply({ reply, sign, ...context }: EncodeReply): Uint8Array {
  const unsigned = encodeCbor(replyMap(reply));
  return addSignature(unsigned, sign(replySignatureInput(context, unsigned)));
}

export interface DecodeReply extends ReplyContext {
  readonly bytes: Uint8Array;
  /** By the reply key that the consensus lists for the gateway. */
  readonly verify: (message: Uint8Array, signature: Uint8Array) => boolean;
}

/**
 * @throws RelayError BAD_REPLY unless the bytes are one that `encodeReply` writes, BAD_SIGNATURE
 * when its signature is not the gateway's over this reply to this request.
 */
export function decodeReply({ bytes, verify, ...context }: DecodeReply): Reply {
  const [reply, signature] = refusing('BAD_REPLY', () => readReply(bytes));
  if (!verify(replySignatureInput(context, withoutSignature(bytes)), signature)) {
    throw new RelayError('BAD_SIGNATURE', 'not a reply of this gateway to this request');
  }
  return reply;
}

function replyMap(reply: Reply): Map<number, Cbor> {
  const map = new Map<number, Cbor>([
    [1, INNER_CODES[reply.code]],
    [2, reply.tipHeight],
    [3, reply.tipHash],
    [4, reply.body],
  ]);
  if (reply.cursor !== undefined) map.set(5, reply.cursor);
  return map;
}

function readReply(bytes: Uint8Array): [Reply, signature: Uint8Array] {
  const map = mapOf(decodeCbor(bytes), [1, 2, 3, 4, 5, 6]);
  const code = innerCodeOf(integerOf(map.get(1), { max: 255 }));
  const body = map.get(4);
  if (code === undefined) throw new MalformedBytesError('code not known');
  if (body === undefined) throw new MalformedBytesError('no body');
  const reply = {
    code,
    tipHeight: integerOf(map.get(2), { max: MAX_U32 }),
    tipHash: bytesOf(map.get(3), 32),
    body,
  };
  const signature = bytesOf(map.get(6), 64);
  if (!map.has(5)) return [reply, signature];
  const cursor = boundedBytesOf(map.get(5), { min: 1, max: MAX_CURSOR_BYTES });
  return [{ ...reply, cursor }, signature];
}

// The signature has the highest key, and so is the last field of the map, whose head counts its fields.
// Each reply is thus encoded only once.

/** Key 6, then the head of a byte string of 64 bytes. */
const SIGNATURE_HEAD = Uint8Array.of(6, 0x58, 64);
const SIGNATURE_FIELD_BYTES = SIGNATURE_HEAD.length + 64;

function addSignature(unsigned: Uint8Array, signature: Uint8Array): Uint8Array {
  const signed = concatBytes(unsigned, SIGNATURE_HEAD, signature);
  signed[0] = (signed[0] ?? 0) + 1;
  return signed;
}

/** Of a map that has a signature. */
function withoutSignature(signed: Uint8Array): Uint8Array {
  const unsigned = signed.slice(0, -SIGNATURE_FIELD_BYTES);
  unsigned[0] = (unsigned[0] ?? 0) - 1;
  return unsigned;
}

/** `"sotto/reply/1\0" + nodeId + SHA-256(request CBOR) + SHA-256(reply CBOR without 6)`. */
function replySignatureInput({ nodeId, request }: ReplyContext, unsigned: Uint8Array): Uint8Array {
  return concatBytes(utf8('sotto/reply/1\0'), fromHex(nodeId), sha256(request), sha256(unsigned));
}

export interface OuterError {
  /** Who says so: the gateway or the relay. */
  readonly nodeId: NodeId;
  readonly code: OuterCode;
  readonly cell: Uint8Array;
}

/**
 * What the signature of an outer error covers: `"sotto/outer/1\0" + nodeId + code u8 + SHA-256(cell)`
 * (spec/relay.md section 6.2).
 */
export function outerErrorInput({ nodeId, code, cell }: OuterError): Uint8Array {
  const codeByte = Uint8Array.of(OUTER_CODES[code]);
  return concatBytes(utf8('sotto/outer/1\0'), fromHex(nodeId), codeByte, sha256(cell));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

function refusing<T>(code: RelayErrorCode, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new RelayError(code, cause.message, { cause });
  }
}
