import { concatBytes, utf8 } from '../base/bytes.ts';
import { type Checkpoints } from './checkpoints.ts';
import { type ConsensusLog } from './consensus-log.ts';
import { DIRECTORY_KINDS, type DirectoryKind, rangeOf } from './directory-view.ts';
import { type EvidenceFiles } from './evidence-files.ts';
import { renderLogProof } from './log-proof.ts';

export interface LogDocuments {
  readonly consensusLog: Pick<ConsensusLog, 'entries' | 'tree'>;
  readonly checkpoints: Pick<Checkpoints, 'noteOf'>;
  readonly evidence: Pick<EvidenceFiles, 'noteOf'>;
}

/** What authorities and nodes show of the log and of those who forked it; undefined for all else. */
export function logDocument(
  kind: DirectoryKind,
  digest: Uint8Array,
  { consensusLog, checkpoints, evidence }: LogDocuments,
): Uint8Array | undefined {
  const { entries, tree } = consensusLog;
  switch (kind) {
    case DIRECTORY_KINDS.checkpoint: {
      const range = rangeOf(digest);
      const note = range?.from === 0 ? checkpoints.noteOf(range.to) : undefined;
      return note === undefined ? undefined : utf8(note);
    }
    case DIRECTORY_KINDS.logProof: {
      const range = rangeOf(digest);
      return range && renderLogProof(tree, range.from, range.to);
    }
    case DIRECTORY_KINDS.logEntries: {
      const range = rangeOf(digest);
      return range && concatBytes(...entries.slice(range.from, range.to));
    }
    case DIRECTORY_KINDS.evidence:
      return evidence.noteOf(digest);
    default:
      return undefined;
  }
}
