import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testConsensus } from '../../test/test-directory.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode, type NodeFlag } from '../directory/consensus-node.ts';
import { weightsOf } from '../directory/weights.ts';
import { judgeConsensus, unbondedShare } from './judged-consensus.ts';

const base = testConsensus();

/** A consensus over nodes with these bonds, in which authorities that keep to the rules weigh them. */
function weighed(bonds: readonly number[], percent = 10): Consensus {
  const nodes = bonds.map((bond, index): ConsensusNode & { bond: number } => {
    const [node] = base.nodes;
    assert.ok(node);
    const nodeId = index.toString(16).padStart(32, '0');
    const flags = new Set<NodeFlag>(['Relay', 'Running', ...(bond > 0 ? ['Bonded' as const] : [])]);
    return { ...node, nodeId, family: nodeId, flags, bond };
  });
  const weights = weightsOf(nodes, { unbondedPercent: percent, familyCapPercent: 100 });
  const listed = nodes.map((node) => ({ ...node, weight: weights.get(node.nodeId) ?? 0 }));
  return {
    ...base,
    params: new Map([['unbonded-percent', percent]]),
    nodes: listed,
    node: (id) => listed.find(({ nodeId }) => nodeId === id),
  };
}

test.each([
  [[0, 0, 0], 10],
  [[5_000_000, 7_000_000], 10],
  [[5_000_000, 7_000_000, 0, 0, 0], 10],
  [[5_000_000, 7_000_000, 1_000_000_000, 0], 33],
  [[3, 1, 0], 99],
  [[3, 1, 0], 0],
])('what authorities make of bonds %j is chosen by as it is', (bonds, percent) => {
  const consensus = weighed(bonds, percent);
  assert.equal(judgeConsensus(consensus, new Set()), consensus);
});

test('nodes without a bond weigh their part at most, whatever the consensus says', () => {
  const consensus = weighed([9_000_000, 9_000_000, 0, 0]);
  assert.equal(unbondedShare(consensus), 1_000_000);
  const nodes = consensus.nodes.map((node, index) =>
    index === 2 ? { ...node, weight: 5_000_000 } : node,
  );
  const judged = judgeConsensus({ ...consensus, nodes }, new Set());
  assert.deepEqual(
    judged.nodes.map(({ weight }) => weight),
    [9_000_000, 9_000_000, 1_000_000, 1_000_000],
  );
  assert.equal(judged.node(nodes[2]?.nodeId ?? '')?.weight, 1_000_000);
});

test('a node whose bond is not proved weighs nothing, and one that needs none keeps its weight', () => {
  const consensus = weighed([9_000_000, 9_000_000, 0]);
  const [first, , last] = consensus.nodes.map(({ nodeId }) => nodeId);
  const judged = judgeConsensus(consensus, new Set([first ?? '', last ?? '']));
  assert.deepEqual(
    judged.nodes.map(({ weight }) => weight),
    [0, 9_000_000, 2_000_000],
  );
});
