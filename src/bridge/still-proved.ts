import { foldBranch } from '../electrum/merkle.ts';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';
import { type HeaderLookup } from '../lookup/verify-history.ts';

/**
 * Whether the chain still holds every block that proves a history. Where it holds the history's tip
 * it holds all blocks below it; where that has left the chain, each proof is folded anew.
 */
export function isStillProved({ tip, entries }: VerifiedHistory, chain: HeaderLookup): boolean {
  const known = chain.headerAt(tip.height)?.hash === tip.hash;
  return entries.every(
    (entry) => (known && entry.height <= tip.height) || leadsToChain(entry, chain),
  );
}

/** Whether the proof of an entry leads to a block of the chain; so it does when it has none. */
export function leadsToChain(entry: VerifiedEntry, chain: HeaderLookup): boolean {
  const { txid, height, position, branch } = entry;
  if (position === undefined || branch === undefined) return true;
  const header = chain.headerAt(height);
  // It was folded when it was verified, so it folds again.
  return header?.merkleRoot === foldBranch({ txid, position, branch });
}
