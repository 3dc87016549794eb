import { join } from 'node:path';
import { equalBytes, toHex } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { openPrevious, verifyConsensus } from '../directory/accept-consensus.ts';
import type { Consensus } from '../directory/consensus.ts';
import type { VerifiedConsensus } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { MAX_CHAIN } from '../directory/limits.ts';
import { digestOfText, textOfNote } from '../directory/note.ts';
import type { Policy } from '../directory/policy.ts';
import {
  makePrivateDirectory,
  namesIn,
  readIfPresent,
  removeIfPresent,
  writeDurably,
} from '../io/durable-file.ts';

export interface KeptConsensusesOptions {
  /** Made with mode 0700. It belongs to the consensuses alone: what else is in it is removed. */
  readonly directory: string;
  readonly policy: Policy;
  readonly log: Logger;
}

/** The newest 32 consensuses that a node has accepted, on disk, for whoever walks back their chain. */
export interface KeptConsensuses {
  /** The newest first; at most two. */
  readonly newest: readonly Consensus[];
  /** The note of the consensus whose text has this hash. */
  noteOf(hash: Uint8Array): Uint8Array | undefined;
  /** Oldest first. Those that are kept already are passed over. */
  keep(chain: readonly VerifiedConsensus[]): Promise<void>;
}

interface Kept {
  readonly epoch: number;
  readonly hash: string;
  readonly note: Uint8Array;
}

const NAME = /^consensus-([0-9]{1,16})$/;
const NEWEST = 2;

/**
 * Files that do not verify under the policy, and that none which does leads back to, are removed: other authorities,
 * or a damaged disk.
 */
export async function openKeptConsensuses(
  options: KeptConsensusesOptions,
): Promise<KeptConsensuses> {
  const { directory } = options;
  await makePrivateDirectory(directory);
  let kept: readonly Kept[] = [];
  let newest: readonly Consensus[] = [];

  const hold = ({ consensus, note }: VerifiedConsensus): void => {
    const { epoch, hash } = consensus;
    kept = [...kept, { epoch, hash: toHex(hash), note }];
    newest = [consensus, ...newest].slice(0, NEWEST);
  };
  const dropOld = async (): Promise<void> => {
    for (const { epoch } of kept.slice(0, -MAX_CHAIN)) await removeIfPresent(pathOf(epoch));
    kept = kept.slice(-MAX_CHAIN);
  };
  const pathOf = (epoch: number): string => join(directory, `consensus-${epoch}`);

  for (const verified of await readAll(options)) hold(verified);
  await dropOld();
  return {
    get newest() {
      return newest;
    },
    noteOf: (hash) => {
      const wanted = toHex(hash);
      return kept.find((each) => each.hash === wanted)?.note;
    },
    async keep(chain) {
      for (const verified of chain) {
        if (verified.consensus.epoch <= (newest[0]?.epoch ?? -1)) continue;
        await writeDurably(pathOf(verified.consensus.epoch), verified.note);
        hold(verified);
      }
      await dropOld();
    },
  };
}

/** The newest first, because one in between may be there for its place in the chain alone, as it was taken. */
async function readAll({
  directory,
  policy,
  log,
}: KeptConsensusesOptions): Promise<readonly VerifiedConsensus[]> {
  let verified: readonly VerifiedConsensus[] = [];
  for (const name of (await namesIn(directory)).sort((a, b) => epochOf(b) - epochOf(a))) {
    const path = join(directory, name);
    try {
      const note = await readIfPresent(path);
      if (note === undefined) continue;
      const consensus = openKept(note, { next: verified[0]?.consensus, policy });
      if (name === `consensus-${consensus.epoch}`) verified = [{ consensus, note }, ...verified];
      else await removeIfPresent(path);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      log.warn('a consensus that was kept is not of this policy', { reason: messageOf(error) });
      await removeIfPresent(path);
    }
  }
  return verified;
}

/** -1 for a file of another name. */
function epochOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? -1);
}

/** @throws DirectoryError as `verifyConsensus`. */
function openKept(
  note: Uint8Array,
  { next, policy }: { readonly next: Consensus | undefined; readonly policy: Policy },
): Consensus {
  const isNamed = next !== undefined && equalBytes(digestOfText(textOfNote(note)), next.prev);
  return isNamed ? openPrevious(note, { hash: next.prev, policy }) : verifyConsensus(note, policy);
}
