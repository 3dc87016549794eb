import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testConsensus } from '../../test/test-directory.ts';
import { CarriedCells, type FamilyWeights, gatewayWeights } from './carried-cells.ts';

const RELAY = 'ab'.repeat(16);
const NOW = 1_000_000_000_000;
const DAY_MS = 86_400_000;
const [ONE, TWO, THREE] = ['01'.repeat(16), '02'.repeat(16), '03'.repeat(16)] as const;
const LIGHT = Array.from({ length: 100 }, (_, index) => `${index + 100}`.padStart(32, 'f'));

const like = (
  families: readonly string[],
  weight: number,
): readonly (readonly [string, number])[] => families.map((family) => [family, weight] as const);

function weightsOf(...weights: readonly (readonly [string, number])[]): FamilyWeights {
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return { byFamily: new Map(weights), mean: sum / weights.length };
}

type Cell = readonly [family: string, carried: boolean, at?: number];

function noted(...cells: readonly Cell[]): CarriedCells {
  const carried = new CarriedCells();
  for (const [family, wasCarried, at = NOW] of cells) {
    carried.note(RELAY, { family, carried: wasCarried, at });
  }
  return carried;
}

const alike = weightsOf(...like([ONE, TWO, THREE], 1));
const afterCells = (...cells: readonly Cell[]): boolean =>
  noted(...cells).isCarrying(RELAY, alike, NOW);

test('a relay of which nothing is known carries cells', () => {
  assert.equal(afterCells(), true);
});

test('one that loses the cells of most gateways does not, one that loses those of half of them does', () => {
  assert.equal(afterCells([ONE, false], [TWO, false]), false);
  assert.equal(afterCells([ONE, false], [TWO, false], [THREE, true]), false);
  assert.equal(afterCells([ONE, true], [TWO, false]), true);
  const four = weightsOf(...like([ONE, TWO, THREE, LIGHT[0] ?? ''], 1));
  const half = noted([ONE, false], [TWO, false], [THREE, true], [LIGHT[0] ?? '', true]);
  assert.equal(half.isCarrying(RELAY, four, NOW), true);
});

test('gateways of one family cannot have a relay blamed', () => {
  assert.equal(afterCells([ONE, false], [ONE, false], [ONE, false], [ONE, false]), true);
  const heavy = weightsOf([ONE, 100], [TWO, 1]);
  assert.equal(noted([ONE, false], [ONE, false]).isCarrying(RELAY, heavy, NOW), true);
});

test('the last cell of a family counts', () => {
  assert.equal(afterCells([ONE, false], [TWO, false], [ONE, true]), true);
  assert.equal(afterCells([ONE, true], [TWO, true], [ONE, false], [TWO, false]), false);
});

test('gateways that weigh little cannot have a relay blamed, however many they are', () => {
  const weights = weightsOf(...like([ONE, TWO, THREE], 30), ...like(LIGHT, 0.1));
  const byLight = LIGHT.map((family): Cell => [family, false]);
  assert.equal(noted(...byLight, [ONE, true]).isCarrying(RELAY, weights, NOW), true);
  assert.equal(noted(...byLight.slice(0, 15)).isCarrying(RELAY, weights, NOW), true);
  assert.equal(noted(...byLight, [ONE, false]).isCarrying(RELAY, weights, NOW), false);
});

test('gateways that are not listed do not count', () => {
  const weights = weightsOf([THREE, 1]);
  assert.equal(noted([ONE, false], [TWO, false]).isCarrying(RELAY, weights, NOW), true);
});

test('what is three days ago does not count', () => {
  const long = NOW - 3 * DAY_MS;
  assert.equal(afterCells([ONE, false, long], [TWO, false, long]), true);
  assert.equal(afterCells([ONE, false, long + 1], [TWO, false, long + 1]), false);
  const carried = noted([ONE, false, long], [TWO, false]);
  assert.deepEqual(
    [...carried.entries()].map(([, last]) => last.length),
    [1],
  );
});

test('other relays are forgotten', () => {
  const carried = noted([ONE, false], [TWO, false]);
  carried.retain((relay) => relay !== RELAY);
  assert.equal(carried.isCarrying(RELAY, alike, NOW), true);
});

test('a family weighs what its gateways weigh together', () => {
  const { nodes } = testConsensus();
  const [first] = nodes;
  assert.ok(first);
  const relayOnly = { ...first, nodeId: ONE, family: ONE, flags: new Set(['Relay'] as const) };
  const ofOne = nodes.map((node) => ({ ...node, family: first.family }));
  const { byFamily, mean } = gatewayWeights({ nodes: [...ofOne, relayOnly] });
  assert.deepEqual([[...byFamily], mean], [[[first.family, 400]], 400]);
});
