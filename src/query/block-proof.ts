import { MalformedBytesError } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { integerOf } from '../base/cbor-fields.ts';
import { type BlockProof, type CoinbaseSpine, meetingLevel } from '../electrum/block-proof.ts';
import { joinHashes, splitHashes } from './hash.ts';
import { MAX_BRANCH_HASHES, MAX_U32 } from './limits.ts';

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
