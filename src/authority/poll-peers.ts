import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { byDeadline, SET_BACK_MS, type Time } from './time.ts';

export interface PollOptions {
  readonly peers: readonly DirectorySource[];
  readonly time: Time;
  readonly log: Logger;
  /** Milliseconds since the Unix epoch; nothing is waited for any longer. */
  readonly untilMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Whether the same peer is asked again, or it is not, or nobody is. */
type Verdict = 'again' | 'peer-done' | 'all-done';

type Ask = (peer: DirectorySource, signal: AbortSignal) => Promise<Verdict>;

/** For all that is asked at one time, in intervals. */
const PATIENCE = 5;

/**
 * Asks all peers side by side, each again and again until there is nothing more to ask or the time is
 * over, or the clock was set back; one that fails, or takes too long, is asked again the next time.
 * Rejects only when aborted.
 */
export async function pollPeers(options: PollOptions, ask: Ask): Promise<void> {
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const askPeer = async (peer: DirectorySource): Promise<void> => {
    if ((await pollPeer(peer, { ...options, signal }, ask)) === 'all-done') end.abort();
  };
  await Promise.all(options.peers.map(askPeer));
  options.signal.throwIfAborted();
}

async function pollPeer(
  peer: DirectorySource,
  { time, log, untilMs, everyMs, signal }: PollOptions,
  ask: Ask,
): Promise<Verdict> {
  const fromMs = time.now() - SET_BACK_MS;
  const isOver = (): boolean => signal.aborted || time.now() >= untilMs || time.now() <= fromMs;
  while (!isOver()) {
    const started = time.now();
    const deadlineMs = Math.min(started + PATIENCE * everyMs, untilMs);
    try {
      const verdict = await byDeadline({ deadlineMs, time, signal }, (inner) => ask(peer, inner));
      if (verdict !== 'again') return verdict;
    } catch (error) {
      if (isOver()) break;
      log.info('no answer of an authority', { peer: peer.name, reason: messageOf(error) });
    }
    await time.sleepUntil(Math.min(started + everyMs, untilMs), signal).catch(() => undefined);
  }
  return 'peer-done';
}
