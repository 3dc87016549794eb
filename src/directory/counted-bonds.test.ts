import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type BondFloors, countedBonds } from './counted-bonds.ts';
import { weightParamsOf } from './weight-params.ts';
import { type WeighedNode, weightsOf } from './weights.ts';

const BITCOIN = 100_000_000;
const DUST = 330;
const USUAL = weightParamsOf(new Map());

test('dust in bonds takes nothing from a network that has no bonds', () => {
  for (const dust of [1, 3, 30, 10_000 - 100]) {
    const nodes = [...alone('h', zeros(100)), ...alone('a', Array<number>(dust).fill(DUST))];
    const weights = weightsOf(countedBonds(nodes, USUAL), USUAL);
    assert.equal(new Set(weights.values()).size, 1, `${dust} bonds of dust`);
  }
});

test('no bond counts until there are enough of them, in satoshis and in families', () => {
  const ten = alone('n', Array<number>(10).fill(BITCOIN / 10));
  assert.deepEqual(bondsOf(ten), Array<number>(10).fill(BITCOIN / 10));
  const oneLess = [...alone('n', [...Array<number>(9).fill(BITCOIN / 10), BITCOIN / 10 - 1])];
  assert.deepEqual(bondsOf(oneLess), zeros(10));
  assert.deepEqual(bondsOf(alone('n', Array<number>(9).fill(BITCOIN))), zeros(9));
  const nine = alone('n', Array<number>(10).fill(BITCOIN)).map((node) => ({
    ...node,
    family: node.nodeId === 'n1' ? 'n0' : node.family,
  }));
  assert.deepEqual(bondsOf(nine), zeros(10));
});

test('a bond below the least counts as none, and helps no other to count', () => {
  const nine = Array<number>(9).fill(BITCOIN);
  assert.deepEqual(bondsOf(alone('n', [...nine, 999_999])), zeros(10));
  assert.deepEqual(bondsOf(alone('n', [...nine, 1_000_000, 999_999])), [...nine, 1_000_000, 0]);
  const nearly = Array<number>(101).fill(999_999);
  assert.deepEqual(bondsOf(alone('n', nearly)), zeros(101));
});

test('whoever opens the network to bonds gets of it what he locked, and not more', () => {
  const honest = Array<number>(9).fill(BITCOIN / 10);
  const nodes = [...alone('h', [...honest, ...zeros(50)]), ...alone('a', [BITCOIN / 10])];
  const weights = weightsOf(countedBonds(nodes, USUAL), USUAL);
  const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  assert.ok(Math.abs((weights.get('a0') ?? 0) / all - 0.09) < 1e-6);
});

test('no node weighs nothing while there is a part for those without a bond, whatever is voted', () => {
  const names = [
    'unbonded-percent',
    'family-cap-percent',
    'bond-min-sats',
    'bonded-from-sats',
    'bonded-from-families',
  ];
  const value = fc.oneof(fc.nat(200), fc.nat(2 ** 40), fc.constant(Number.MAX_SAFE_INTEGER));
  const satoshis = fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(30_000_000));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 5 }),
      fc.array(satoshis, { minLength: 1, maxLength: 30 }),
      (voted, bonds) => {
        const params = weightParamsOf(new Map([['unbonded-percent', 1], ...voted]));
        if (params.unbondedPercent === 0) return;
        // As many as a consensus can have.
        const nodes = alone('n', [...bonds, ...zeros(10_000 - bonds.length)]);
        const judged = countedBonds(nodes, params);
        const weights = weightsOf(judged, params);
        for (const { nodeId, bond } of judged) {
          assert.ok(bond > 0 || (weights.get(nodeId) ?? 0) > 0);
        }
      },
    ),
    { numRuns: 8 },
  );
});

test('with the least that can be voted, 9,999 nodes beside one bond weigh something each', () => {
  const params = weightParamsOf(
    new Map([
      ['unbonded-percent', 1],
      ['bonded-from-sats', 0],
      ['bonded-from-families', 0],
    ]),
  );
  const nodes = alone('n', [10_000_000, ...zeros(9999)]);
  const weights = weightsOf(countedBonds(nodes, params), params);
  assert.equal(weights.get('n0'), 5_000_000);
  assert.equal(weights.get('n1'), 5);
});

function bondsOf(nodes: readonly WeighedNode[], floors: BondFloors = USUAL): readonly number[] {
  return countedBonds(nodes, floors).map(({ bond }) => bond);
}

/** Each its own family. */
function alone(name: string, bonds: readonly number[]): readonly WeighedNode[] {
  return bonds.map((bond, index) => {
    const nodeId = `${name}${index}`;
    return { nodeId, family: nodeId, bond };
  });
}

function zeros(count: number): number[] {
  return Array<number>(count).fill(0);
}
