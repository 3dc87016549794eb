import { MalformedBytesError } from '../base/bytes.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { isCoinbase, parseTransaction, type Transaction } from '../bitcoin/transaction.ts';
import { type BlockProof, meetingLevel } from './block-proof.ts';
import { foldBranch } from './merkle.ts';
import { ProofError } from './proof-error.ts';

/** A transaction of this size could be an inner node of a merkle tree (CVE-2017-12842). */
const NODE_BYTES = 64;

/**
 * The transaction, if these are its bytes and it cannot be taken for an inner node of a merkle tree.
 * @throws ProofError `not-a-transaction`, `txid-mismatch`, `transaction-of-64-bytes`.
 */
export function readTransaction(raw: Uint8Array, txid: string): Transaction {
  const transaction = parsed(raw);
  if (transaction.txid !== txid) throw new ProofError('txid-mismatch', 'another transaction');
  if (transaction.strippedSize === NODE_BYTES) {
    throw new ProofError('transaction-of-64-bytes', 'it could be an inner node of a merkle tree');
  }
  return transaction;
}

/**
 * Checks that the block of the header holds the transaction (spec/relay.md section 9).
 * @throws ProofError
 */
export function checkInBlock(
  transaction: Transaction,
  { position, branch, coinbase }: BlockProof,
  header: Pick<BlockHeader, 'merkleRoot'>,
): void {
  if (foldBranch({ txid: transaction.txid, position, branch }) !== header.merkleRoot) {
    throw new ProofError('bad-merkle-root', 'the branch does not lead to the block’s merkle root');
  }
  if (isCoinbase(transaction) !== (position === 0)) {
    throw new ProofError('coinbase-depth', 'a coinbase is the first transaction, and only it');
  }
  if (position === 0) return;
  if (coinbase === undefined) throw new ProofError('proof-missing', 'no proof of the depth');
  const meetsAt = meetingLevel(position);
  const met = foldBranch({ txid: coinbase.txid, position: 0, branch: coinbase.branch });
  if (coinbase.branch.length !== meetsAt || met !== branch[meetsAt]) {
    throw new ProofError('coinbase-depth', 'not as deep in the tree as the coinbase');
  }
}

function parsed(raw: Uint8Array): Transaction {
  try {
    return parseTransaction(raw);
  } catch (error) {
    if (error instanceof MalformedBytesError) {
      throw new ProofError('not-a-transaction', error.message);
    }
    throw error;
  }
}
