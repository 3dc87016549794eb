import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type WeighedNode, type WeightParams, weightsOf } from './weights.ts';

const PARAMS = { unbondedPercent: 10, familyCapPercent: 10 };
const BITCOIN = 100_000_000;

test('a weight is the bond as long as no family is above its cap', () => {
  const nodes = alone([5, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5]);
  assert.deepEqual(valuesOf(nodes), [5, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5].map(inSatoshis));
});

test('a family above its cap keeps a tenth of what all keep', () => {
  const nodes = alone([30, ...Array.from({ length: 14 }, () => 5)]);
  const weights = valuesOf(nodes);
  assert.ok(Math.abs((weights[0] ?? 0) / total(weights) - 0.1) < 1e-8);
  assert.deepEqual(
    weights.slice(1),
    Array.from({ length: 14 }, () => inSatoshis(5)),
  );
});

test('the nodes of a family share its cap as they share its bonds', () => {
  const family = '00';
  const large = [20, 10].map((bond, index) => ({ ...node(`0${index}`, bond), family }));
  const weights = valuesOf([...large, ...alone(Array.from({ length: 14 }, () => 5))]);
  assert.ok(Math.abs(((weights[0] ?? 0) + (weights[1] ?? 0)) / total(weights) - 0.1) < 1e-8);
  assert.ok(Math.abs((weights[0] ?? 0) - 2 * (weights[1] ?? 0)) <= 2);
});

test('specks of bonds in many families do not push three large families down to their size', () => {
  const weights = valuesOf(alone([10, 10, 10, ...Array.from({ length: 50 }, () => 0.00001)]));
  const specks = weights.slice(3);
  assert.ok(total(specks) / total(weights) < 0.0001);
});

test('the nodes without a bond hold a tenth of the whole, in equal parts', () => {
  const nodes = alone([...Array.from({ length: 12 }, () => 1), 0, 0, 0]);
  const weights = valuesOf(nodes);
  const pool = weights.slice(12);
  assert.ok(Math.abs(total(pool) / total(weights) - 0.1) < 1e-8);
  assert.equal(new Set(pool).size, 1);
});

test('where nobody has a bond, all have the same weight', () => {
  assert.equal(new Set(valuesOf(alone([0, 0, 0, 0]))).size, 1);
});

test('without a pool, bonds alone decide', () => {
  const nodes = alone([...Array.from({ length: 12 }, () => 1), 0]);
  const weights = weightsOf(nodes, { ...PARAMS, unbondedPercent: 0 });
  assert.equal(weights.get(nodes[12]?.nodeId ?? ''), 0);
});

test('there may be no node at all', () => {
  assert.equal(weightsOf([], PARAMS).size, 0);
});

test('no part more than doubles by the cap, and no family has more than it unless half is cut', () => {
  fc.assert(
    fc.property(fc.array(satoshis(), { minLength: 1, maxLength: 40 }), (bonds) => {
      const nodes = alone(bonds.map((bond) => bond / BITCOIN));
      const weights = valuesOf(nodes);
      const [before, after] = [total(bonds), total(weights)];
      const halfIsCut = after <= before / 2 + bonds.length;
      for (const [index, weight] of weights.entries()) {
        const bond = bonds[index] ?? 0;
        assert.ok(weight <= bond);
        assert.ok(weight * before <= 2.0001 * bond * after + before);
        if (!halfIsCut) assert.ok(weight <= 0.1 * after + 1);
      }
    }),
  );
});

test('splitting a bond over several nodes of a family gains nothing', () => {
  fc.assert(
    fc.property(
      satoshis(),
      fc.array(satoshis(), { minLength: 1, maxLength: 30 }),
      (bond, others) => {
        const rest = others.map((sats, index) => ({ ...node(`b${index}`, 0), bond: sats }));
        const lump = [{ ...node('a', 0), bond }];
        const parts = [Math.floor(bond / 2), bond - Math.floor(bond / 2)]
          .filter((part) => part > 0)
          .map((part, index) => ({ nodeId: `a${index}`, family: 'a', bond: part }));
        const lumped = weightsOf([...lump, ...rest], PARAMS).get('a') ?? 0;
        const weights = weightsOf([...parts, ...rest], PARAMS);
        const split = total(parts.map(({ nodeId }) => weights.get(nodeId) ?? 0));
        assert.ok(split <= lumped && lumped - split <= 2);
      },
    ),
  );
});

test('the order of the nodes does not matter', () => {
  const nodes = alone([30, 1, 0, 2, 5, 0, 9]);
  assert.deepEqual(
    weightsOf(nodes.toReversed(), PARAMS).get('n03'),
    weightsOf(nodes, PARAMS).get('n03'),
  );
});

function node(nodeId: string, bitcoins: number): WeighedNode {
  return { nodeId, family: nodeId, bond: inSatoshis(bitcoins) };
}

/** Each its own family. */
function alone(bonds: readonly number[]): readonly WeighedNode[] {
  return bonds.map((bond, index) => node(`n${String(index).padStart(2, '0')}`, bond));
}

function valuesOf(nodes: readonly WeighedNode[], params: WeightParams = PARAMS): number[] {
  const weights = weightsOf(nodes, params);
  return nodes.map(({ nodeId }) => weights.get(nodeId) ?? NaN);
}

function inSatoshis(bitcoins: number): number {
  return Math.round(bitcoins * BITCOIN);
}

function satoshis(): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 1e13 }));
}

function total(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
