import { type Consensus, type ConsensusNode, type NodeFlag } from './consensus.ts';
import { type Descriptor, keyConfigsOf } from './descriptor.ts';
import { familiesOf } from './family.ts';
import { type NodeId } from './node-id.ts';
import { deferPublicKey } from './public-key.ts';
import { isUsable, newestDescriptors } from './usable-descriptors.ts';

export interface ListOptions {
  /** In any order; of several by one node the newest counts. */
  readonly descriptors: readonly Descriptor[];
  /** How much of the network's work a node gets; undefined when it is not admitted. */
  readonly weightOf: (nodeId: NodeId) => number | undefined;
  /** Unix seconds from which the list is to be used. */
  readonly validAfter: number;
  /** The consensus before: a node that swaps a key it announced there is left out. */
  readonly previous?: Consensus | undefined;
}

/** The node lines of the next consensus: the same for everyone who has the same descriptors. */
export function listNodes(options: ListOptions): readonly ConsensusNode[] {
  const { weightOf } = options;
  const usable = options.descriptors.filter(
    (descriptor) => weightOf(descriptor.nodeId) !== undefined && isUsable(descriptor, options),
  );
  const newest = [...newestDescriptors(usable).values()];
  const families = familiesOf(newest);
  return newest
    .map((descriptor) =>
      describeNode(descriptor, {
        weight: weightOf(descriptor.nodeId) ?? 0,
        flags: new Set<NodeFlag>([...flagsOfRoles(descriptor), 'Running']),
        family: families.get(descriptor.nodeId) ?? descriptor.nodeId,
      }),
    )
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

/** What the authorities add to what a node says of itself. */
export type Judgement = Pick<ConsensusNode, 'weight' | 'flags' | 'family'>;

export function describeNode(descriptor: Descriptor, judgement: Judgement): ConsensusNode {
  return {
    nodeId: descriptor.nodeId,
    descriptorDigest: descriptor.digest,
    ...judgement,
    onion: descriptor.onion,
    keyConfigs: keyConfigsOf(descriptor),
    replyKey: deferPublicKey(() => descriptor.replyKey),
  };
}

export function flagsOfRoles({ roles }: Descriptor): readonly NodeFlag[] {
  return [
    ...(roles.has('relay') ? (['Relay'] as const) : []),
    ...(roles.has('gateway') ? (['Gateway'] as const) : []),
  ];
}
