import { MalformedBytesError } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { integerOf } from '../base/cbor-fields.ts';
import { joinHashes, splitHashes } from './hash.ts';
import { MAX_BRANCH_HASHES, MAX_U32 } from './limits.ts';

/** That a transaction is in a block: spec/relay.md section 4.3. Hashes are hex in display order. */
export interface BlockProof {
  /** In the block, from 0. */
  readonly position: number;
  /** The hashes beside the way to the merkle root, deepest first: at most 30. */
  readonly branch: readonly string[];
  /** Unless the transaction is the coinbase itself. */
  readonly coinbase: CoinbaseSpine | undefined;
}

/**
 * The coinbase and the hashes beside its way up to where it meets the way of the transaction. It
 * shows with the fewest bytes that both are equally deep.
 */
export interface CoinbaseSpine {
  readonly txid: string;
  /** `meetingLevel(position)` hashes, deepest first. */
  readonly branch: readonly string[];
}

/**
 * The level at which the way of the transaction at this position (from 1) meets that of the coinbase:
 * the coinbase's hash at this level is the sibling that the branch of the transaction has there.
 */
export function meetingLevel(position: number): number {
  return 31 - Math.clz32(position);
}

/** Position, branch, and null or coinbase: `txid | branch`. */
export type ProofFields = readonly [position: Cbor, branch: Cbor, coinbase: Cbor];

export function proofFields({ position, branch, coinbase }: BlockProof): ProofFields {
  return [
    position,
    joinHashes(branch),
    coinbase === undefined ? null : joinHashes([coinbase.txid, ...coinbase.branch]),
  ];
}

/** @throws MalformedBytesError unless the fields are ones that `proofFields` makes. */
export function proofOf([positionField, branchField, coinbaseField]: ProofFields): BlockProof {
  const position = integerOf(positionField, { max: MAX_U32 });
  const branch = splitHashes(branchField, MAX_BRANCH_HASHES);
  if (position >= 2 ** branch.length) throw new MalformedBytesError('no such position');
  return { position, branch, coinbase: coinbaseOf(coinbaseField, position) };
}

function coinbaseOf(field: Cbor, position: number): CoinbaseSpine | undefined {
  if (position === 0) {
    if (field !== null) throw new MalformedBytesError('the coinbase is beside nothing');
    return undefined;
  }
  const [txid, ...branch] = splitHashes(field, MAX_BRANCH_HASHES);
  if (txid === undefined || branch.length !== meetingLevel(position)) {
    throw new MalformedBytesError('not the way of the coinbase');
  }
  return { txid, branch };
}
