import { type FeeRate } from '../lookup/lookup.ts';

/** What a block holds at most. */
const BLOCK_VBYTES = 1_000_000;
const SATOSHIS = 100_000_000;
const UNKNOWN = -1;

/**
 * Bitcoins for 1000 virtual bytes to be confirmed within so many blocks, between the targets that
 * are known on a straight line; -1 when none is. `rates` are by rising target.
 */
export function estimateFee(rates: readonly FeeRate[], blocks: number): number {
  const above = rates.find((rate) => rate.blocks >= blocks) ?? rates.at(-1);
  const below = rates.findLast((rate) => rate.blocks <= blocks) ?? rates[0];
  if (above === undefined || below === undefined) return UNKNOWN;
  if (above.blocks <= below.blocks) return below.satPerKvb / SATOSHIS;
  const way = (blocks - below.blocks) / (above.blocks - below.blocks);
  const rate = below.satPerKvb + way * (above.satPerKvb - below.satPerKvb);
  return Math.round(rate) / SATOSHIS;
}

/**
 * A mempool in which those rates would be the right ones: satoshis a virtual byte, strictly falling,
 * and how many virtual bytes pay that. What a mempool really holds cannot be asked for.
 */
export function feeHistogram(rates: readonly FeeRate[]): [number, number][] {
  const histogram: [number, number][] = [];
  let told = 0;
  for (const { blocks, satPerKvb } of rates) {
    const last = histogram.at(-1);
    const size = (blocks - told) * BLOCK_VBYTES;
    told = blocks;
    const rate = satPerKvb / 1000;
    if (last === undefined || rate < last[0]) histogram.push([rate, size]);
    else last[1] += size;
  }
  return histogram;
}
