import { type Descriptor } from './descriptor.ts';
import { type NodeId } from './node-id.ts';

/**
 * The families of the nodes, each named by its smallest node id. Two nodes are of one family when
 * each names the other, or when a chain of such pairs joins them (spec/directory.md section 5).
 */
export function familiesOf(
  descriptors: readonly Pick<Descriptor, 'nodeId' | 'family'>[],
): ReadonlyMap<NodeId, NodeId> {
  const named = new Map(descriptors.map(({ nodeId, family }) => [nodeId, new Set(family)]));
  const families = new Map<NodeId, NodeId>();
  for (const first of [...named.keys()].sort()) {
    const waiting = [first];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (families.has(id)) continue;
      families.set(id, first);
      const current = id;
      waiting.push(...[...(named.get(id) ?? [])].filter((other) => named.get(other)?.has(current)));
    }
  }
  return families;
}
