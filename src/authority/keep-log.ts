import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { parseCheckpoint } from '../directory/checkpoint.ts';
import { Checkpoints } from '../directory/checkpoints.ts';
import { entriesFrom } from '../directory/consensus-log.ts';
import { type Consensus, parseConsensus } from '../directory/consensus.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { EvidenceCollector } from '../directory/evidence-collector.ts';
import { MAX_CHECKPOINT_BYTES } from '../directory/gathered-cosignatures.ts';
import { decodeNote, type NoteSigner, signNote, textOfNote } from '../directory/note.ts';
import { type Policy } from '../directory/policy.ts';
import { type AuthorityFiles } from './authority-files.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { byDeadline, type Time } from './time.ts';

export interface KeepLogOptions {
  readonly policy: Policy;
  /** This authority. */
  readonly signer: NoteSigner;
  readonly files: Pick<AuthorityFiles, 'consensusLog' | 'consensusNote' | 'evidence'>;
  readonly newest: Pick<NewestConsensus, 'consensus'>;
  /** The other authorities. */
  readonly peers: readonly DirectorySource[];
  /** From one consensus to the next. */
  readonly periodMs: number;
  readonly time: Time;
  readonly log: Logger;
}

/** What an authority does for the log besides voting. */
export interface KeptLog extends AsyncDisposable {
  readonly checkpoints: Checkpoints;
  /**
   * Takes what a witness of the newest log says.
   * @throws DirectoryError as `take` of Checkpoints; `not-yet-valid` while peers are asked for the log.
   */
  take(note: Uint8Array): Promise<void>;
}

/** How often in a period the others are asked. */
const ASKS_A_PERIOD = 24;
/** Whoever brings something has it looked at by then: long enough where the log is whole, and no peer is asked. */
const TAKE_MS = 2000;

/**
 * Signs a checkpoint of the log that ends with each new consensus, and asks the other authorities now
 * and then for what they have: signatures, cosignatures, and evidence.
 */
export function keepLog(options: KeepLogOptions): KeptLog {
  const { policy, signer, files, newest, peers, time } = options;
  const checkpoints = new Checkpoints({ policy, consensusOf: (hash) => consensusOf(files, hash) });
  const asked = peers.map((peer) => ({
    peer,
    collector: new EvidenceCollector(files.evidence, peer),
  }));
  let followed: Consensus | undefined;
  let following: Promise<void> | undefined;

  const followNewest = async (): Promise<void> => {
    const { consensus } = newest;
    if (consensus?.log === undefined || consensus === followed) return;
    const head = await files.consensusLog.headAfter(consensus, peers.map(entriesFrom));
    checkpoints.follow(consensus, head);
    const gathered = checkpoints.newest;
    gathered?.take(signNote(gathered.text, signer));
    followed = consensus;
  };
  /** One for all who wait for it: peers that are asked for what is missing of the log can take minutes. */
  const follow = (): Promise<void> =>
    (following ??= followNewest().finally(() => (following = undefined)));
  const stop = new AbortController();
  const everyMs = options.periodMs / ASKS_A_PERIOD;
  const running = (async () => {
    while (!stop.signal.aborted) {
      await follow().catch((error: unknown) => {
        options.log.warn('no checkpoint of the log', { reason: messageOf(error) });
      });
      const asking = { checkpoints, everyMs, signal: stop.signal };
      await Promise.all(asked.map((each) => ask(each, asking, options)));
      await time.sleepUntil(time.now() + everyMs, stop.signal).catch(() => undefined);
    }
  })();
  return {
    checkpoints,
    async take(note) {
      parseCheckpoint(textOfNote(decodeNote(note, MAX_CHECKPOINT_BYTES)));
      const deadlineMs = time.now() + TAKE_MS;
      await byDeadline({ deadlineMs, time, signal: stop.signal }, follow).catch(
        (cause: unknown) => {
          throw new DirectoryError('not-yet-valid', 'the log is not known yet', { cause });
        },
      );
      checkpoints.take(note);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

interface Asking {
  readonly checkpoints: Checkpoints;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

interface AskedPeer {
  readonly peer: DirectorySource;
  readonly collector: EvidenceCollector;
}

/** What one peer does not have, or has wrong, is not the fault of the others. */
async function ask(
  { peer, collector }: AskedPeer,
  { checkpoints, everyMs, signal }: Asking,
  { time, log }: KeepLogOptions,
): Promise<void> {
  const deadlineMs = time.now() + everyMs;
  const questions: readonly ((until: AbortSignal) => Promise<unknown>)[] = [
    (until) => checkpoints.gatherFrom(peer, until),
    async (until) => collector.take(await collector.list(until), until),
  ];
  for (const question of questions) {
    try {
      await byDeadline({ deadlineMs, time, signal }, question);
    } catch (error) {
      if (signal.aborted) return;
      const level = error instanceof DirectoryError ? 'warn' : 'info';
      log[level]('nothing of the log from an authority', {
        peer: peer.name,
        reason: messageOf(error),
      });
    }
  }
}

function consensusOf(
  files: Pick<AuthorityFiles, 'consensusNote'>,
  hash: Uint8Array,
): Consensus | undefined {
  const note = files.consensusNote(hash);
  return note && parseConsensus(textOfNote(note));
}
