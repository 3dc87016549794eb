import type { ReadonlyLedger } from './chain-ledger.ts';

/** For each whole fee rate in the mempool, highest first: satoshis a virtual byte, virtual bytes. */
export function feeHistogram({ mempool }: ReadonlyLedger): [number, number][] {
  const sizes = new Map<number, number>();
  for (const { fee, transaction } of mempool.values()) {
    const rate = Math.floor(Number(fee) / transaction.vsize);
    sizes.set(rate, (sizes.get(rate) ?? 0) + transaction.vsize);
  }
  return [...sizes].sort(([a], [b]) => b - a);
}
