import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { weightParamsOf } from '../directory/weight-params.ts';

/**
 * What a node without a bond may weigh where others have one: an equal part of what is for all of them
 * (spec/directory.md section 11). Undefined where nobody has a bond that counts, or everybody.
 */
export function unbondedShare({ nodes, params }: Consensus): number | undefined {
  const bonded = nodes.filter(({ flags }) => flags.has('Bonded'));
  const others = nodes.length - bonded.length;
  if (bonded.length === 0 || others === 0) return undefined;
  const total = bonded.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
  const { unbondedPercent } = weightParamsOf(params);
  return Number((total * BigInt(unbondedPercent)) / BigInt(100 - unbondedPercent) / BigInt(others));
}

/**
 * The consensus as a client chooses by it: a node without a bond weighs what it may at most, and one
 * whose bond is not proved to this client nothing.
 */
export function judgeConsensus(consensus: Consensus, unproved: ReadonlySet<NodeId>): Consensus {
  const most = unbondedShare(consensus) ?? Infinity;
  const weightOf = ({ nodeId, weight, flags }: ConsensusNode): number => {
    if (flags.has('Bonded')) return unproved.has(nodeId) ? 0 : weight;
    return Math.min(weight, most);
  };
  const changed = new Map(
    consensus.nodes
      .filter((node) => weightOf(node) !== node.weight)
      .map((node) => [node.nodeId, { ...node, weight: weightOf(node) }]),
  );
  if (changed.size === 0) return consensus;
  return {
    ...consensus,
    nodes: consensus.nodes.map((node) => changed.get(node.nodeId) ?? node),
    node: (id) => changed.get(id) ?? consensus.node(id),
  };
}
