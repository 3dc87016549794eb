import {
  concatBytes,
  equalBytes,
  fromHex,
  MalformedBytesError,
  reverseBytes,
  toHex,
} from '../base/bytes.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { ProofError } from './proof-error.ts';

/** No tree of transactions or headers is deeper. */
export const MAX_BRANCH = 30;

export interface MerkleProof {
  /** The leaf, hex in display order. */
  readonly txid: string;
  /** Which leaf it is, from 0. */
  readonly position: number;
  /** The hashes beside the way to the root, deepest first, hex in display order. */
  readonly branch: readonly string[];
}

/** The root over one leaf or more. Hashes are hex in display order. */
export function merkleRoot(leaves: readonly string[]): string {
  let level = leaves.map(hashedOrder);
  while (level.length > 1) level = parents(level);
  const [root] = level;
  if (root === undefined) throw new RangeError('a merkle tree has at least one leaf');
  return display(root);
}

/** The hashes beside the way from a leaf to the root, deepest first. */
export function merkleBranch(leaves: readonly string[], position: number): string[] {
  if (leaves[position] === undefined) throw new RangeError(`there is no leaf ${position}`);
  const branch: string[] = [];
  let index = position;
  for (let level = leaves.map(hashedOrder); level.length > 1; level = parents(level)) {
    const sibling = level[index ^ 1] ?? level[index];
    if (sibling !== undefined) branch.push(display(sibling));
    index >>= 1;
  }
  return branch;
}

/**
 * The root to which a proof leads: the caller compares it with the header's. Refuses inner nodes
 * that could be transactions (CVE-2017-12842) and leaves repeated to forge a block (CVE-2012-2459).
 * @throws ProofError
 */
export function foldBranch({ txid, position, branch }: MerkleProof): string {
  if (branch.length > MAX_BRANCH) {
    throw new ProofError('branch-too-long', `a branch of ${branch.length} hashes`);
  }
  // Arithmetic instead of shifts, because a hostile position may be over 32 bits.
  let index = position;
  let hash = hashedOrder(txid);
  for (const text of branch) {
    const sibling = hashedOrder(text);
    const right = index % 2 === 1;
    if (right && equalBytes(sibling, hash)) {
      throw new ProofError('left-sibling-repeats', 'a leaf was repeated to forge a block');
    }
    const node = right ? concatBytes(sibling, hash) : concatBytes(hash, sibling);
    refuseTransaction(node);
    hash = doubleSha256(node);
    index = Math.floor(index / 2);
  }
  if (index !== 0) throw new ProofError('position-left-over', 'the position is outside the tree');
  return display(hash);
}

function refuseTransaction(node: Uint8Array): void {
  // 64 bytes have room for one input: the fifth counts it, or is the zero that announces witnesses.
  if ((node[4] ?? 0) > 1) return;
  try {
    parseTransaction(node);
  } catch (error) {
    if (error instanceof MalformedBytesError) return;
    throw error;
  }
  throw new ProofError('inner-node-is-transaction', 'an inner node is a transaction');
}

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const left = level[index];
    const right = level[index + 1] ?? left;
    if (left !== undefined && right !== undefined)
      above.push(doubleSha256(concatBytes(left, right)));
  }
  return above;
}

function hashedOrder(hash: string): Uint8Array {
  const bytes = fromHex(hash);
  if (bytes.length !== 32) throw new MalformedBytesError('a hash has 32 bytes');
  return bytes.reverse();
}

function display(hash: Uint8Array): string {
  return toHex(reverseBytes(hash));
}
