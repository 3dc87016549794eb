import { type ConsensusNode } from './consensus-node.ts';

/** A role for which clients choose nodes by weight. */
type Role = 'Relay' | 'Gateway';

/**
 * How much of the work that one list gives to its nodes stays where it is by another, from 0 to 1. What
 * only the other lists says nothing, as it does to an authority that does not know all nodes yet. It is
 * 1 where the one gives no work.
 */
export function keptShare(
  { of, by }: { readonly of: readonly ConsensusNode[]; readonly by: readonly ConsensusNode[] },
  role: Role,
): number {
  const own = weightsIn(of, role);
  const others = weightsIn(by, role);
  const total = sum([...own.values()]);
  const kept = sum([...own.keys()].map((nodeId) => others.get(nodeId) ?? 0));
  if (total === 0) return 1;
  if (kept === 0) return 0;
  return sum(
    [...own].map(([nodeId, weight]) => Math.min(weight / total, (others.get(nodeId) ?? 0) / kept)),
  );
}

/** Of the nodes that clients would choose in that role. */
function weightsIn(nodes: readonly ConsensusNode[], role: Role): ReadonlyMap<string, number> {
  const chosen = nodes.filter(({ flags }) => flags.has('Running') && flags.has(role));
  return new Map(chosen.map(({ nodeId, weight }) => [nodeId, weight]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
