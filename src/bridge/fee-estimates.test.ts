import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { estimateFee, feeHistogram } from './fee-estimates.ts';

const RATES = [
  { blocks: 2, satPerKvb: 20_000 },
  { blocks: 10, satPerKvb: 12_000 },
  { blocks: 144, satPerKvb: 1_000 },
];

test.each([
  [1, 0.0002],
  [2, 0.0002],
  [6, 0.00016],
  [10, 0.00012],
  [77, 0.000065],
  [144, 0.00001],
  [1008, 0.00001],
])('a fee for %i blocks is on the line between those that are known', (blocks, rate) => {
  assert.equal(estimateFee(RATES, blocks), rate);
});

test('without any estimate a fee is unknown', () => {
  assert.equal(estimateFee([], 5), -1);
  assert.deepEqual(feeHistogram([]), []);
});

test('an estimated fee is never outside of those that are known', () => {
  const rates = fc
    .uniqueArray(fc.record({ blocks: fc.integer({ min: 1, max: 1008 }), satPerKvb: fc.nat(1e7) }), {
      selector: ({ blocks }) => blocks,
      minLength: 1,
    })
    .map((list) => list.sort((a, b) => a.blocks - b.blocks));
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 2000 }), (known, blocks) => {
      const all = known.map(({ satPerKvb }) => satPerKvb);
      const rate = Math.round(estimateFee(known, blocks) * 1e8);
      assert.ok(rate >= Math.min(...all) && rate <= Math.max(...all));
    }),
  );
});

test('the histogram has as many virtual bytes above a rate as fit in the blocks until it is enough', () => {
  assert.deepEqual(feeHistogram(RATES), [
    [20, 2_000_000],
    [12, 8_000_000],
    [1, 134_000_000],
  ]);
});

test('the rates of the histogram fall strictly, whatever the estimates say', () => {
  const odd = [5000, 5000, 7000, 1000].map((satPerKvb, index) => ({
    blocks: index + 1,
    satPerKvb,
  }));
  assert.deepEqual(feeHistogram(odd), [
    [5, 3_000_000],
    [1, 1_000_000],
  ]);
});
