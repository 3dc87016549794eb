import { join } from 'node:path';
import { loadText } from '../../config/load.ts';
import { verifyConsensus } from '../../directory/accept-consensus.ts';
import type { Consensus } from '../../directory/consensus.ts';
import { nodeIdOf, type NodeId } from '../../directory/node-id.ts';
import { parsePolicy } from '../../directory/policy.ts';
import { readEvidence } from '../../directory/read-evidence.ts';
import { signingKeyFromSeed } from '../../directory/signing-key.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import { readIdentity } from '../../node/node-keys.ts';
import { readPublication } from '../../node/publication-file.ts';
import type { ListedConsensus, ListedObservation } from './observations.ts';

export interface ListedProbeOptions {
  readonly policyFile: string;
  /** Where the node keeps its keys, its consensus, and what the authorities say. */
  readonly nodeDirectory: string;
}

/**
 * Looks for this node in the consensus that it accepted last.
 * @throws UserError without a policy; DirectoryError when the consensus is not by its authorities.
 */
export async function probeListed(options: ListedProbeOptions): Promise<ListedObservation> {
  const { policyFile, nodeDirectory } = options;
  const policy = parsePolicy(await loadText(policyFile));
  const publication = await readPublication(nodeDirectory);
  const note = await readIfPresent(join(nodeDirectory, 'consensus'));
  const evidence = await readEvidence(join(nodeDirectory, 'evidence'), policy);
  const fork = evidence.find(({ isFork }) => isFork);
  const identity = await readIdentity(nodeDirectory);
  const nodeId = nodeIdOf(signingKeyFromSeed(identity).publicKey);
  return {
    consensus: note && listingOf(nodeId, verifyConsensus(note, policy)),
    authorities: publication?.authorities.length ?? 0,
    answers: publication?.answers ?? [],
    ...(fork && {
      fork: { epoch: fork.epoch, convicted: fork.convicted.map(({ name }) => name) },
    }),
  };
}

function listingOf(nodeId: NodeId, consensus: Consensus): ListedConsensus {
  const { epoch, validUntil, nodes } = consensus;
  const listed = consensus.node(nodeId);
  const whole = nodes.reduce((sum, { weight }) => sum + weight, 0);
  return {
    epoch,
    validUntil,
    node: listed && {
      flags: [...listed.flags],
      weight: listed.weight,
      share: whole === 0 ? 0 : listed.weight / whole,
    },
  };
}
