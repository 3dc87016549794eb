import { isCoinbase } from '../bitcoin/transaction.ts';
import { compareMempoolItems, historyStatus } from '../electrum/history-status.ts';
import { balanceOf } from '../lookup/balance.ts';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';
import { asUnconfirmed, type HeldTransactions } from './held-transactions.ts';
import { type OwnTransactions } from './own-transactions.ts';

/** What is known of transactions besides one history. */
export interface Knowledge {
  readonly held: Pick<HeldTransactions<unknown>, 'get' | 'spenderOf'>;
  readonly own: Pick<OwnTransactions, 'touching' | 'spenderOf'>;
}

/** What a source said of a script, before what is known besides. */
export type FetchedHistory = Pick<VerifiedHistory, 'scriptHash' | 'tip' | 'entries' | 'source'>;

/**
 * A fetched history as wallets are told it, so that no two histories contradict each other: each
 * transaction is as far in the chain as any history proves; what the mempool holds gives way to a
 * transaction that spends the same in a block, or that was broadcast here since; what was broadcast
 * here is there at once. In Electrum's order, the mempool's as of protocol 1.6.
 */
export function tellHistory(
  { scriptHash, tip, source, entries: fetched }: FetchedHistory,
  knowledge: Knowledge,
): VerifiedHistory {
  const told = new Map<string, VerifiedEntry>();
  for (const entry of fetched) {
    const known = asKnown(entry, knowledge);
    if (known !== undefined) told.set(known.txid, known);
  }
  for (const own of knowledge.own.touching(scriptHash)) {
    if (!told.has(own.txid)) told.set(own.txid, own);
  }
  const entries = [...told.values()].sort(compareEntries);
  const { confirmed, unconfirmed, unspent } = balanceOf(entries, scriptHash);
  const status = historyStatus(entries);
  return { scriptHash, status, tip, entries, confirmed, unconfirmed, unspent, source };
}

/** Whether two histories of a script tell a wallet the same. */
export function isSameHistory(a: VerifiedHistory, b: VerifiedHistory): boolean {
  // Positions and proofs follow from the block.
  const isSame = ({ txid, height }: VerifiedEntry, index: number): boolean =>
    txid === b.entries[index]?.txid && height === b.entries[index].height;
  return a.entries.length === b.entries.length && a.entries.every(isSame);
}

/** Undefined when it cannot be in the mempool any more. */
function asKnown(entry: VerifiedEntry, { held, own }: Knowledge): VerifiedEntry | undefined {
  const known = held.get(entry.txid) ?? asUnconfirmed(entry);
  if (known.proved) return known;
  // A coinbase lives and dies with its block.
  if (isCoinbase(known.transaction)) return undefined;
  const replaced = known.transaction.inputs.some((input) => {
    const spender = held.spenderOf(input) ?? own.spenderOf(input);
    return spender !== undefined && spender !== known.txid;
  });
  return replaced ? undefined : known;
}

function compareEntries(a: VerifiedEntry, b: VerifiedEntry): number {
  if (a.proved !== b.proved) return a.proved ? -1 : 1;
  if (!a.proved) return compareMempoolItems(a, b);
  return a.height - b.height || (a.position ?? 0) - (b.position ?? 0);
}
