import { hash, type KeyObject, randomBytes } from 'node:crypto';
import { ByteReader } from '../base/byte-reader.ts';
import { concatBytes, equalBytes, fromHex, MalformedBytesError } from '../base/bytes.ts';
import type { NodeId } from '../directory/node-id.ts';
import { CHACHA20_POLY1305 } from '../base/aead.ts';
import { encapsulation } from './encapsulation.ts';
import { KDF_ID, KEM_ID } from './hpke.ts';
import { decodeKeyConfig } from './key-config.ts';
import { CELL_BYTES, MAX_REQUEST_BYTES, MAX_SIGNED_REPLY_BYTES, REPLY_BYTES } from './limits.ts';
import { RelayError, type RelayErrorCode } from './relay-error.ts';
import { generateKeyPair, type KeyPair } from './x25519.ts';

// Cells and reply bodies: spec/relay.md sections 2.2 to 2.4.

const { sealRequest, openRequest, encOf, secretBytes } = encapsulation({
  aead: CHACHA20_POLY1305,
  requestLabel: 'application/x-sotto request',
  responseLabel: 'application/x-sotto response',
});

/** What follows the key id in the first bytes of a cell: `kem u16 | kdf u16 | aead u16`. */
const SUITE = Uint8Array.of(0, KEM_ID, 0, KDF_ID, 0, CHACHA20_POLY1305.id);

const LENGTH_BYTES = 2;

export interface SealCell {
  /** Of the gateway, 41 bytes, as the consensus lists it. */
  readonly keyConfig: Uint8Array;
  /** Of the gateway. */
  readonly nodeId: NodeId;
  /** Up to 1991 bytes. */
  readonly plaintext: Uint8Array;
  /** Never used for another cell. A fresh one unless the caller needs the same cell again. */
  readonly ephemeral?: KeyPair;
}

export interface SealedCell {
  /** 2048 bytes. */
  readonly cell: Uint8Array;
  /** @throws RelayError BAD_REPLY unless the body is one that the gateway sealed to this cell. */
  readonly openReply: (body: Uint8Array) => Uint8Array;
}

/**
 * @throws RelayError BAD_KEY_CONFIG when the key config cannot be used; RangeError when the plaintext
 * is too long.
 */
export function sealCell({
  keyConfig,
  nodeId,
  plaintext,
  ephemeral = generateKeyPair(),
}: SealCell): SealedCell {
  const { keyId, publicKey } = decodeKeyConfig(keyConfig);
  const { request, openResponse } = sealRequest({
    header: concatBytes(Uint8Array.of(keyId), SUITE),
    binding: bindingOf(nodeId, keyConfig),
    recipientKey: publicKey,
    ephemeral,
    plaintext: pad(plaintext, MAX_REQUEST_BYTES),
  });
  return {
    cell: request,
    openReply(body) {
      if (body.length !== REPLY_BYTES) throw new RelayError('BAD_REPLY', 'length');
      return unpad(openResponse(body), 'BAD_REPLY');
    },
  };
}

/** An HPKE key of a gateway, for as long as its epoch lasts. */
export interface CellKey {
  /** 41 bytes. */
  readonly keyConfig: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface OpenCell {
  readonly cell: Uint8Array;
  /** Of the gateway itself. */
  readonly nodeId: NodeId;
  readonly keyFor: (keyId: number) => CellKey | undefined;
  /** Whether a cell with this `enc` was accepted before. No cell was when left out. */
  readonly seen?: (enc: Uint8Array) => boolean;
}

export interface OpenedCell {
  readonly plaintext: Uint8Array;
  /** 32 bytes, fresh in every honest cell: what the replay cache remembers. */
  readonly enc: Uint8Array;
  /** 4096 bytes. Takes up to 4046. @throws RangeError when the plaintext is too long. */
  readonly sealReply: (plaintext: Uint8Array) => Uint8Array;
}

/**
 * @throws RelayError, in this order: KEY_UNKNOWN when the suite or key id is not one of ours, REPLAY
 * when `enc` was seen, OPEN_FAILED when the cell was not sealed to this node and key or is not padded
 * with zeros.
 */
export function openCell({ cell, nodeId, keyFor, seen }: OpenCell): OpenedCell {
  if (cell.length !== CELL_BYTES) throw new RelayError('OPEN_FAILED', 'length');
  const suiteKnown = equalBytes(cell.subarray(1, 1 + SUITE.length), SUITE);
  const key = suiteKnown ? keyFor(cell[0] ?? 0) : undefined;
  if (key === undefined) throw new RelayError('KEY_UNKNOWN', 'no such suite and key id');
  if (seen?.(encOf(cell)) === true) throw new RelayError('REPLAY', 'seen before');
  const { publicKey } = decodeKeyConfig(key.keyConfig);
  const { enc, plaintext, sealResponse } = openRequest({
    request: cell,
    binding: bindingOf(nodeId, key.keyConfig),
    recipient: { privateKey: key.privateKey, publicKey },
  });
  return {
    enc,
    plaintext: unpad(plaintext, 'OPEN_FAILED'),
    sealReply(text) {
      return sealResponse(pad(text, MAX_SIGNED_REPLY_BYTES), randomBytes(secretBytes));
    },
  };
}

function bindingOf(nodeId: NodeId, keyConfig: Uint8Array): Uint8Array {
  return concatBytes(fromHex(nodeId), hash('sha256', keyConfig, 'buffer'));
}

/** `u16 L | text | zeros`, for a longest text of `max` bytes. */
function pad(text: Uint8Array, max: number): Uint8Array {
  if (text.length > max) throw new RangeError('too long for a cell');
  const padded = new Uint8Array(LENGTH_BYTES + max);
  new DataView(padded.buffer).setUint16(0, text.length);
  padded.set(text, LENGTH_BYTES);
  return padded;
}

function unpad(padded: Uint8Array, code: RelayErrorCode): Uint8Array {
  try {
    const reader = new ByteReader(padded);
    const text = reader.bytes(reader.u16());
    reader.zeros();
    return text;
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new RelayError(code, cause.message, { cause });
  }
}
