import { MalformedBytesError } from '../base/bytes.ts';
import { type Cbor, cborLength } from '../base/cbor.ts';
import { boundedBytesOf, integerOf, mapOf } from '../base/cbor-fields.ts';
import { type BlockProof } from '../electrum/block-proof.ts';
import { proofFields, proofOf } from './block-proof.ts';
import { MAX_BODY_BYTES, MAX_TRANSACTION_BYTES, MAX_U32 } from './limits.ts';

/** The answer to TX, or one page of it: spec/relay.md section 4.4. */
export interface TransactionBody {
  /** Of the whole transaction, in bytes. */
  readonly size: number;
  /** Of the bytes of this page. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** On the first page, when it was asked for and the transaction is in a block. */
  readonly proof: TransactionProof | undefined;
}

export interface TransactionProof extends BlockProof {
  readonly height: number;
}

export interface PackTransaction {
  readonly raw: Uint8Array;
  readonly offset: number;
  readonly proof: TransactionProof | undefined;
}

/** As many bytes from `offset` on as fit. */
export function packTransaction({ raw, offset, proof }: PackTransaction): TransactionBody {
  const page = { size: raw.length, offset, proof };
  const otherBytes = cborLength(encodeTransactionBody({ ...page, bytes: new Uint8Array(0) }));
  // The length of a long byte string takes two bytes more than that of an empty one.
  const room = MAX_BODY_BYTES - otherBytes - 2;
  return { ...page, bytes: raw.subarray(offset, offset + room) };
}

export function encodeTransactionBody({ size, offset, bytes, proof }: TransactionBody): Cbor {
  const map = new Map<number, Cbor>([
    [1, size],
    [2, offset],
    [3, bytes],
  ]);
  if (proof === undefined) return map;
  const [position, branch, coinbase] = proofFields(proof);
  map.set(4, proof.height).set(5, position).set(6, branch);
  return coinbase === null ? map : map.set(7, coinbase);
}

/** @throws MalformedBytesError unless the body is one that `encodeTransactionBody` makes. */
export function decodeTransactionBody(body: Cbor): TransactionBody {
  const map = mapOf(body, [1, 2, 3, 4, 5, 6, 7]);
  const size = integerOf(map.get(1), { min: 1, max: MAX_TRANSACTION_BYTES });
  const offset = integerOf(map.get(2), { max: size - 1 });
  const bytes = boundedBytesOf(map.get(3), { min: 1, max: size - offset });
  return { size, offset, bytes, proof: transactionProofOf(map, offset) };
}

function transactionProofOf(
  map: ReadonlyMap<number, Cbor>,
  offset: number,
): TransactionProof | undefined {
  if (map.size === 3) return undefined;
  if (offset !== 0) throw new MalformedBytesError('a proof on a later page');
  if (map.get(7) === null) throw new MalformedBytesError('null at the end');
  const height = integerOf(map.get(4), { min: 1, max: MAX_U32 });
  const proof = proofOf([map.get(5) ?? null, map.get(6) ?? null, map.get(7) ?? null]);
  return { height, ...proof };
}
