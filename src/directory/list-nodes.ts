import { toHex } from '../base/bytes.ts';
import { swapsKey } from './accept-consensus.ts';
import { type Consensus, type ConsensusNode, type NodeFlag } from './consensus.ts';
import { type Descriptor } from './descriptor.ts';
import { familiesOf } from './family.ts';
import { type NodeId } from './node-id.ts';
import { deferPublicKey } from './public-key.ts';

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
  const { weightOf, validAfter, previous } = options;
  const newest = new Map<NodeId, Descriptor>();
  for (const descriptor of options.descriptors) {
    const { nodeId, published, expires } = descriptor;
    const configs = descriptor.keyConfigs.map(({ keyConfig }) => keyConfig);
    const usable =
      weightOf(nodeId) !== undefined && published <= validAfter && validAfter < expires;
    if (!usable || swapsKey(configs, previous?.node(nodeId)?.keyConfigs ?? [])) continue;
    const other = newest.get(nodeId);
    if (other === undefined || isNewer(descriptor, other)) newest.set(nodeId, descriptor);
  }
  const families = familiesOf([...newest.values()]);
  return [...newest.values()]
    .map((descriptor) => ({
      nodeId: descriptor.nodeId,
      descriptorDigest: descriptor.digest,
      weight: weightOf(descriptor.nodeId) ?? 0,
      flags: flagsOf(descriptor),
      family: families.get(descriptor.nodeId) ?? descriptor.nodeId,
      onion: descriptor.onion,
      keyConfigs: [descriptor.keyConfigs[0].keyConfig, descriptor.keyConfigs[1].keyConfig] as const,
      replyKey: deferPublicKey(descriptor.replyKey),
    }))
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

/** Two of the same second are told apart by their digests, so that everyone takes the same one. */
function isNewer(a: Descriptor, b: Descriptor): boolean {
  if (a.published !== b.published) return a.published > b.published;
  return toHex(a.digest) > toHex(b.digest);
}

function flagsOf({ roles }: Descriptor): ReadonlySet<NodeFlag> {
  return new Set<NodeFlag>([
    ...(roles.has('relay') ? (['Relay'] as const) : []),
    ...(roles.has('gateway') ? (['Gateway'] as const) : []),
    'Running',
  ]);
}
