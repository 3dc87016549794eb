import assert from 'node:assert/strict';
import { test } from 'vitest';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { testConsensus } from '../../test/test-directory.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { probeRelays, type ProbeRelays } from './probe-relays.ts';

const uniform = seededNumbers(3);
const random = (below: number): number => Math.floor(uniform() * below);
const [like] = testConsensus().nodes;
assert.ok(like);
const nodeOf = (index: number, weight: number): ConsensusNode => {
  const nodeId = index.toString(16).padStart(32, '0');
  return { ...like, nodeId, family: nodeId, weight };
};
const all = Array.from({ length: 20 }, (_, index) => nodeOf(index, 100));
const [gateway] = all;
assert.ok(gateway);

const bind = (held: readonly NodeId[], relays = all, listed = all): ProbeRelays => {
  const byId = new Map(listed.map((node) => [node.nodeId, node]));
  const consensus = { node: (nodeId: NodeId) => byId.get(nodeId) };
  return probeRelays({ consensus, gateway, relays, held, random });
};
const ids = (nodes: readonly ConsensusNode[]): readonly NodeId[] =>
  nodes.map(({ nodeId }) => nodeId);

test('a script is asked about through the same relays in the same order, three families and none the gateway’s', () => {
  const { relays, bound } = bind([]);
  assert.equal(new Set(relays.map(({ family }) => family)).size, 3);
  assert.ok(!bound.includes(gateway.nodeId));
  assert.deepEqual(bind(bound), { relays, bound });
  assert.notDeepEqual(bind([]).bound, bound);
});

test('one that is not there is made up for, and has its place again when it is back', () => {
  const { relays, bound } = bind([]);
  const without = all.filter((node) => node !== relays[0]);
  const meanwhile = bind(bound, without);
  assert.deepEqual(ids(meanwhile.relays).slice(0, 2), bound.slice(1));
  assert.equal(meanwhile.relays.length, 3);
  assert.deepEqual(bind(meanwhile.bound).relays, relays);
});

test('one that is not listed any more loses its place, and not more are bound than fit', () => {
  const { relays, bound } = bind([]);
  const without = all.filter((node) => node !== relays[0]);
  assert.ok(!bind(bound, without, without).bound.includes(bound[0] ?? ''));
  let held: readonly NodeId[] = [];
  for (let turn = 0; turn < 40; turn += 1) {
    held = bind(
      held,
      all.filter(({ nodeId }) => nodeId !== held[turn % held.length]),
    ).bound;
    assert.ok(held.length <= 8);
  }
});

test('two of three relays come by weight, and one from all alike', () => {
  const heavy = all.slice(0, 10).map((node) => ({ ...node, weight: 1_000_000 }));
  const mixed = [...heavy, ...all.slice(10)];
  let [light, first] = [0, 0];
  for (let turn = 0; turn < 300; turn += 1) {
    const { relays } = bind([], mixed, mixed);
    light += relays.filter(({ weight }) => weight === 100).length;
    first += relays[0]?.weight === 100 ? 1 : 0;
  }
  assert.ok(light > 120 && light < 195, `${light} light relays`);
  assert.ok(first > 25 && first < 80, `${first} light ones in the first place`);
});

test('with fewer families there are fewer relays, and without any there is none', () => {
  assert.equal(bind([], all.slice(0, 3)).relays.length, 2);
  assert.deepEqual(bind([], all.slice(0, 1)), { relays: [], bound: [] });
});
