import { type ChainTip, type HeaderChain } from '../electrum/header-chain.ts';
import { type HistoryItem } from '../electrum/history-status.ts';
import { type HistoryClaim, verifyHistory } from '../lookup/verify-history.ts';
import { type KnownHistory } from './known-scripts.ts';
import { ProbeError } from './probe-error.ts';

/** What a gateway says of a script. */
export interface ToldHistory {
  readonly claim: HistoryClaim;
  /** The block up to which it is said to be complete. */
  readonly tip: Pick<ChainTip, 'height' | 'hash'>;
}

/** Blocks take a while to get everywhere. */
const MAX_BEHIND = 2;

/**
 * What a gateway left out of a history, as far as the authority's own target tells the truth. The mempool
 * is not compared: no two nodes have the same.
 * @throws ProofError when the chain refutes what the gateway says; ProbeError `unclear` when the gateway
 * knows more than the target does; Error when it is behind or on another branch.
 */
export function leftOut(
  { claim, tip }: ToldHistory,
  known: KnownHistory,
  chain: Pick<HeaderChain, 'tip' | 'headerAt'>,
): readonly HistoryItem[] {
  if (tip.height > chain.tip.height) {
    throw new ProbeError('unclear', 'it knows blocks that the target of this authority does not');
  }
  if (chain.headerAt(tip.height)?.hash !== tip.hash) throw new Error('it is on another branch');
  if (tip.height < known.tip.height - MAX_BEHIND) {
    throw new Error(`it is ${known.tip.height - tip.height} blocks behind`);
  }
  verifyHistory(claim, chain);
  const upTo = Math.min(tip.height, known.tip.height);
  const told = inBlocks(claim.entries, upTo);
  const ours = inBlocks(known.items, upTo);
  if ([...told.keys()].some((each) => !ours.has(each))) {
    throw new ProbeError('unclear', 'it proves what the target of this authority does not have');
  }
  return [...ours].flatMap(([each, item]) => (told.has(each) ? [] : [item]));
}

function inBlocks(items: readonly HistoryItem[], upTo: number): ReadonlyMap<string, HistoryItem> {
  const counted = items.filter(({ height }) => height > 0 && height <= upTo);
  return new Map(counted.map((item) => [`${item.txid}:${item.height}`, item]));
}
