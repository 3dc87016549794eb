import { createHash } from 'node:crypto';
import {
  type Consensus,
  type ConsensusParams,
  type LogHead,
  type NodeFlag,
} from '../directory/consensus.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { MAX_NODES } from '../directory/limits.ts';
import { flagsOfRoles } from '../directory/list-nodes.ts';
import { logRoot } from '../directory/merkle-log.ts';
import { formatVerifierKey } from '../directory/note.ts';
import { type Policy } from '../directory/policy.ts';
import { type Slot } from '../directory/timeline.ts';
import { type ConsensusLog, entriesFrom } from '../directory/consensus-log.ts';
import { type HeldNodes } from './held-nodes.ts';
import { type Prober } from './prober.ts';
import { type ProvedBonds } from './proved-bonds.ts';
import { type Ballot } from './round-parts.ts';

export interface BallotParts {
  readonly policy: Policy;
  readonly params: ConsensusParams;
  readonly nodes: HeldNodes;
  readonly bonds: Pick<ProvedBonds, 'satsOf'>;
  readonly prober: Pick<Prober, 'isRunning' | 'isStable'>;
  readonly consensusLog: ConsensusLog;
  readonly peers: readonly DirectorySource[];
}

/**
 * What this authority thinks of the nodes that it has admitted.
 * @throws Error when nobody has the log up to `previous`.
 */
export async function castBallot(
  slot: Slot,
  previous: Consensus | undefined,
  parts: BallotParts,
): Promise<Ballot> {
  const { policy, params, nodes, bonds, consensusLog, peers } = parts;
  const log =
    previous === undefined
      ? emptyLog(policy)
      : await consensusLog.headAfter(previous, peers.map(entriesFrom));
  const listed = nodes.listable(slot, previous).slice(0, MAX_NODES);
  nodes.showVoted(listed);
  return {
    params,
    log,
    nodes: listed.map((descriptor) => ({
      nodeId: descriptor.nodeId,
      descriptorDigest: descriptor.digest,
      bond: bonds.satsOf(descriptor),
      flags: new Set([...flagsOfRoles(descriptor), ...flagsOfProbes(descriptor, parts)]),
    })),
  };
}

function flagsOfProbes(descriptor: Descriptor, { prober }: BallotParts): readonly NodeFlag[] {
  return [
    ...(prober.isRunning(descriptor) ? (['Running'] as const) : []),
    ...(prober.isStable(descriptor) ? (['Stable'] as const) : []),
  ];
}

/** Named by the keys of those who keep it, so that no two networks have a log of one name. */
function emptyLog({ network, authorities }: Policy): LogHead {
  const keys = authorities.map(({ verifier }) => formatVerifierKey(verifier)).sort();
  const name = createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16);
  return { origin: `sotto/${network}/${name}`, size: 0, root: logRoot([]) };
}
