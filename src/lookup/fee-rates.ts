import { type FeeEstimate } from '../query/bodies.ts';
import { type FeeRate } from './lookup.ts';

/** An estimate so many times above or below the median is dropped. */
const OUTLIER = 4;

/**
 * One rate for each target that more than half of the gateways name: the median of their estimates,
 * taken again without those far off it. A minority of liars cannot move it out of the honest range.
 */
export function combineFees(estimates: readonly (readonly FeeEstimate[])[]): readonly FeeRate[] {
  const byTarget = new Map<number, number[]>();
  for (const { targetBlocks, satoshisPerKvB } of estimates.flat()) {
    byTarget.set(targetBlocks, [...(byTarget.get(targetBlocks) ?? []), satoshisPerKvB]);
  }
  return [...byTarget]
    .filter(([, rates]) => rates.length * 2 > estimates.length)
    .map(([blocks, rates]) => {
      const middle = median(rates);
      const near = rates.filter((rate) => rate <= middle * OUTLIER && rate * OUTLIER >= middle);
      return { blocks, satPerKvb: median(near) };
    })
    .sort((a, b) => a.blocks - b.blocks);
}

/** The lower one of two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}
