import { messageOf } from '../base/errors.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { type Logger } from '../base/log.ts';
import { Checkpoints } from '../directory/checkpoints.ts';
import { entriesFrom } from '../directory/consensus-log.ts';
import { type Consensus, parseConsensus } from '../directory/consensus.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { type EvidenceCollector } from '../directory/evidence-collector.ts';
import { type NoteSigner, signNote, textOfNote } from '../directory/note.ts';
import { type Policy } from '../directory/policy.ts';
import { type AuthorityFiles } from './authority-files.ts';
import { type NewestConsensus } from './newest-consensus.ts';
import { byDeadline, type Time } from './time.ts';

export interface KeepLogOptions {
  readonly policy: Policy;
  /** This authority. */
  readonly signer: NoteSigner;
  readonly files: Pick<AuthorityFiles, 'consensusLog' | 'consensusNote'>;
  readonly newest: Pick<NewestConsensus, 'consensus'>;
  readonly collector: EvidenceCollector;
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
  /** Takes what a witness of the newest log says. @throws DirectoryError as `take` of Checkpoints. */
  take(note: Uint8Array): Promise<void>;
}

/** How often in a period the others are asked. */
const ASKS_A_PERIOD = 24;

/**
 * Signs a checkpoint of the log that ends with each new consensus, and asks the other authorities now
 * and then for what they have: signatures, cosignatures, and evidence.
 */
export function keepLog(options: KeepLogOptions): KeptLog {
  const { policy, signer, files, newest, peers, time } = options;
  const checkpoints = new Checkpoints({ policy, consensusOf: (hash) => consensusOf(files, hash) });
  let followed: Consensus | undefined;

  const follow = async (): Promise<void> => {
    const { consensus } = newest;
    if (consensus?.log === undefined || consensus === followed) return;
    const head = await files.consensusLog.headAfter(consensus, peers.map(entriesFrom));
    checkpoints.follow(consensus, head);
    const gathered = checkpoints.newest;
    gathered?.take(signNote(gathered.text, signer));
    followed = consensus;
  };
  const inTurn = oneAtATime();
  const stop = new AbortController();
  const everyMs = options.periodMs / ASKS_A_PERIOD;
  const running = (async () => {
    while (!stop.signal.aborted) {
      await inTurn(follow).catch((error: unknown) => {
        options.log.warn('no checkpoint of the log', { reason: messageOf(error) });
      });
      const asking = { checkpoints, everyMs, signal: stop.signal };
      await Promise.all(peers.map((peer) => ask(peer, asking, options)));
      await time.sleepUntil(time.now() + everyMs, stop.signal).catch(() => undefined);
    }
  })();
  return {
    checkpoints,
    async take(note) {
      await inTurn(follow);
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

/** What one peer does not have, or has wrong, is not the fault of the others. */
async function ask(
  peer: DirectorySource,
  { checkpoints, everyMs, signal }: Asking,
  { collector, time, log }: KeepLogOptions,
): Promise<void> {
  const deadlineMs = time.now() + everyMs;
  const questions: readonly ((until: AbortSignal) => Promise<unknown>)[] = [
    (until) => checkpoints.gatherFrom(peer, until),
    (until) => collector.collect(peer, until),
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
