import { fromUtf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { verifyConsensus } from '../../directory/accept-consensus.ts';
import { nodeIdOf } from '../../directory/node-id.ts';
import { parsePolicy } from '../../directory/policy.ts';
import { signingKeyFromSeed } from '../../directory/signing-key.ts';
import { readIfPresent } from '../../io/durable-file.ts';
import { openNodeKeys } from '../../node/node-keys.ts';
import type { ListedObservation } from './observations.ts';

export interface ListedProbeOptions {
  readonly policyFile: string;
  readonly consensusFile: string;
  /** Where the node keeps its keys. */
  readonly nodeDirectory: string;
}

/**
 * Looks for this node in the consensus that the node itself reads.
 * @throws UserError when there is none; DirectoryError when it is not by the policy's authorities.
 */
export async function probeListed(options: ListedProbeOptions): Promise<ListedObservation> {
  const policy = parsePolicy(fromUtf8(await read(options.policyFile)));
  const consensus = verifyConsensus(await read(options.consensusFile), policy);
  const { identity } = await openNodeKeys(options.nodeDirectory);
  const nodeId = nodeIdOf(signingKeyFromSeed(identity).publicKey);
  const { epoch, validUntil } = consensus;
  return { listed: consensus.node(nodeId) !== undefined, epoch, validUntil };
}

async function read(path: string): Promise<Uint8Array> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  return bytes;
}
