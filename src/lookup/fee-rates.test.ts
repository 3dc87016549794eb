import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { combineFees } from './fee-rates.ts';

const at = (targetBlocks: number, ...rates: readonly number[]): Parameters<typeof combineFees>[0] =>
  rates.map((satoshisPerKvB) => [{ targetBlocks, satoshisPerKvB }]);

test('the median of the estimates counts, without those far off it', () => {
  assert.deepEqual(combineFees(at(2, 1000, 1100, 1200, 900_000, 800_000)), [
    { blocks: 2, satPerKvb: 1100 },
  ]);
});

test('a target that at most half of the gateways name is left out', () => {
  const three = { targetBlocks: 3, satoshisPerKvB: 5 };
  const nine = { targetBlocks: 9, satoshisPerKvB: 1 };
  assert.deepEqual(combineFees([[three, nine], [three], [three], [nine]]), [
    { blocks: 3, satPerKvb: 5 },
  ]);
});

test('targets rise', () => {
  const rates = [9, 2, 144].map((targetBlocks) => ({ targetBlocks, satoshisPerKvB: 1 }));
  assert.deepEqual(
    combineFees([rates]).map(({ blocks }) => blocks),
    [2, 9, 144],
  );
});

test('a minority cannot move a rate out of the range of the others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1000, max: 3000 }), { minLength: 3, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 2 }),
      (honest, lies) => {
        const [rate] = combineFees(at(6, ...honest, ...lies));
        assert.ok(rate);
        assert.ok(rate.satPerKvb >= Math.min(...honest) && rate.satPerKvb <= Math.max(...honest));
      },
    ),
  );
});
