import { hash } from 'node:crypto';

export interface HistoryItem {
  /** Hex in display order. */
  readonly txid: string;
  /** 0 in the mempool with all inputs confirmed, -1 in the mempool otherwise. */
  readonly height: number;
}

/**
 * What changes whenever a script's history does, as hex; null for one that was never used.
 * The items are in Electrum's order: the chain's, then the mempool's.
 */
export function historyStatus(items: readonly HistoryItem[]): string | null {
  if (items.length === 0) return null;
  return hash('sha256', items.map(({ txid, height }) => `${txid}:${height}:`).join(''));
}

/**
 * Orders what is in the mempool as Electrum protocol 1.6 does: by falling height, then txid as
 * displayed. Before 1.6 the order is the server's own.
 */
export function compareMempoolItems(a: HistoryItem, b: HistoryItem): number {
  return b.height - a.height || (a.txid < b.txid ? -1 : Number(a.txid > b.txid));
}
