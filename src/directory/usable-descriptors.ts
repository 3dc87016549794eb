import { toHex } from '../base/bytes.ts';
import { type Consensus } from './consensus.ts';
import { type Descriptor, keyConfigsOf } from './descriptor.ts';
import { swapsKey } from './key-configs.ts';
import { type NodeId } from './node-id.ts';

/** Of what a list of nodes is made. */
export interface ListTime {
  /** Unix seconds from which the list is to be used. */
  readonly validAfter: number;
  /** The consensus before: a descriptor that swaps a key which is announced there is of no use. */
  readonly previous?: Consensus | undefined;
}

/** Whether a list that is used from then on can have this descriptor (spec/directory.md section 5). */
export function isUsable(descriptor: Descriptor, { validAfter, previous }: ListTime): boolean {
  const { nodeId, published, expires } = descriptor;
  const inTime = published <= validAfter && validAfter < expires;
  const before = previous?.node(nodeId);
  return inTime && !(before && swapsKey(keyConfigsOf(descriptor), before.keyConfigs));
}

/** Of each node the one published last; of one second, the one with the greater digest. */
export function newestDescriptors(
  descriptors: readonly Descriptor[],
): ReadonlyMap<NodeId, Descriptor> {
  const newest = new Map<NodeId, Descriptor>();
  for (const descriptor of descriptors) {
    const other = newest.get(descriptor.nodeId);
    if (other === undefined || isNewer(descriptor, other)) {
      newest.set(descriptor.nodeId, descriptor);
    }
  }
  return newest;
}

function isNewer(a: Descriptor, b: Descriptor): boolean {
  if (a.published !== b.published) return a.published > b.published;
  return toHex(a.digest) > toHex(b.digest);
}
