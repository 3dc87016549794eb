import { join } from 'node:path';
import { Checkpoints } from '../directory/checkpoints.ts';
import { type ConsensusLog, openConsensusLog } from '../directory/consensus-log.ts';
import { parseConsensus } from '../directory/consensus.ts';
import { EvidenceFiles } from '../directory/evidence-files.ts';
import { textOfNote } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';

/** What a node keeps of the log of its network, serves, and judges its authorities by. */
export interface NodeLog extends AsyncDisposable {
  readonly consensusLog: ConsensusLog;
  readonly checkpoints: Checkpoints;
  readonly evidence: EvidenceFiles;
}

export interface NodeLogOptions {
  readonly dataDirectory: string;
  readonly policy: Policy;
  /** Of the consensuses that are kept, by the hash. */
  readonly noteOf: (hash: Uint8Array) => Uint8Array | undefined;
}

/** The log in `log`, and pairs of notes that convict authorities in `evidence`. */
export async function openNodeLog(options: NodeLogOptions): Promise<NodeLog> {
  const { dataDirectory, policy, noteOf } = options;
  const evidence = await EvidenceFiles.open(join(dataDirectory, 'evidence'), policy);
  const consensusLog = await openConsensusLog(join(dataDirectory, 'log'));
  const checkpoints = new Checkpoints({
    policy,
    consensusOf: (hash) => {
      const note = noteOf(hash);
      return note && parseConsensus(textOfNote(note));
    },
  });
  return {
    consensusLog,
    checkpoints,
    evidence,
    [Symbol.asyncDispose]: () => consensusLog[Symbol.asyncDispose](),
  };
}
