import { type Consensus, type ConsensusContent } from './consensus.ts';
import { type ConsensusNode, type NodeFlag } from './consensus-node.ts';
import { type Tally } from './count-votes.ts';
import { type Descriptor } from './descriptor.ts';
import { familiesOf } from './family.ts';
import { countedBonds } from './counted-bonds.ts';
import { MAX_WEIGHT } from './limits.ts';
import { describeNode, flagsOfRoles } from './list-nodes.ts';
import { isUsable } from './usable-descriptors.ts';
import { type VotedNode } from './vote.ts';
import { weightParamsOf } from './weight-params.ts';
import { weightsOf } from './weights.ts';

export interface BuildOptions {
  readonly tally: Tally;
  /** Of every node of the tally the one with the digest there. */
  readonly descriptorOf: (node: VotedNode) => Descriptor;
  /** The consensus that the tally names as the one before; undefined when it names none. */
  readonly previous: Consensus | undefined;
}

/** A node that is to be listed, by what the votes say and what it says of itself. */
interface Candidate {
  readonly descriptor: Descriptor;
  readonly bond: number;
  readonly flags: ReadonlySet<NodeFlag>;
}

/**
 * What the consensus says: the same for everyone who has the same votes (spec/directory.md section 10).
 * What would make clients refuse the whole of it is left out, even if more than half list it.
 */
export function buildConsensus({ tally, descriptorOf, previous }: BuildOptions): ConsensusContent {
  const candidates = tally.nodes
    .map((node) => candidateOf(node, descriptorOf(node)))
    .filter(({ flags }) => flags.has('Relay') || flags.has('Gateway'))
    .filter(({ descriptor }) => isUsable(descriptor, { validAfter: tally.validAfter, previous }));
  return { ...tally, nodes: weigh(candidates, tally) };
}

/** Only the flags of roles that the node has. */
function candidateOf({ nodeId, bond, flags }: VotedNode, descriptor: Descriptor): Candidate {
  const roles = descriptor.nodeId === nodeId ? flagsOfRoles(descriptor) : [];
  const allowed: readonly NodeFlag[] = [...roles, 'Running', 'Stable'];
  return { descriptor, bond, flags: new Set(allowed.filter((flag) => flags.has(flag))) };
}

function weigh(candidates: readonly Candidate[], tally: Tally): readonly ConsensusNode[] {
  const params = weightParamsOf(tally.params);
  const families = familiesOf(candidates.map(({ descriptor }) => descriptor));
  const claims = claimsOf(candidates);
  const proved = candidates.map(({ descriptor, bond, flags }) => ({
    descriptor,
    flags,
    nodeId: descriptor.nodeId,
    family: families.get(descriptor.nodeId) ?? descriptor.nodeId,
    bond: claims.get(outpointOf(descriptor)) === 1 ? bond : 0,
  }));
  const judged = countedBonds(proved, params);
  const weights = weightsOf(judged, params);
  return judged.map(({ descriptor, nodeId, family, flags, bond }) =>
    describeNode(descriptor, {
      weight: Math.min(weights.get(nodeId) ?? 0, MAX_WEIGHT),
      flags: bond > 0 ? new Set<NodeFlag>([...flags, 'Bonded']) : flags,
      family,
    }),
  );
}

/**
 * For how many nodes the owner of an outpoint signed: with two it counts for neither. A node that only
 * names the outpoint of another, by which the votes say it has nothing, takes nothing from it.
 */
function claimsOf(candidates: readonly Candidate[]): ReadonlyMap<string | undefined, number> {
  const claims = new Map<string | undefined, number>();
  for (const { descriptor, bond } of candidates) {
    const outpoint = outpointOf(descriptor);
    if (outpoint !== undefined && bond > 0) claims.set(outpoint, (claims.get(outpoint) ?? 0) + 1);
  }
  return claims;
}

function outpointOf({ bond }: Descriptor): string | undefined {
  return bond && `${bond.txid}:${bond.vout}`;
}
