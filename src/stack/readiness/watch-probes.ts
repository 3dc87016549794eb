import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { Waiting } from '../backend.ts';
import { type Look, look, type Probe } from './look.ts';
import type { Observations } from './observations.ts';

/** Times go on when nothing else does. */
const TICK_MS = 1_000;
/** How soon something that became due is looked at. */
const DUE_MS = 250;
/** A slow machine has better things to do: a look that takes long is rare. */
const MOST_BUSY = 3;

/**
 * Looks until the signal aborts, and tells what is known whenever that changes, at least once a
 * second. Each probe looks by itself, never twice at a time; what one of them cannot learn does not
 * stop the others.
 */
export async function* watchProbes(
  probes: readonly Probe[],
  { signal }: Waiting,
): AsyncGenerator<Observations> {
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  // Every probe waits on it.
  setMaxListeners(0, stopping);
  const board = new Board();
  const looking = probes.map((probe) => lookAgainAndAgain(probe, { board, signal: stopping }));
  const wake = (): void => {
    board.wake();
  };
  const ticking = setInterval(wake, TICK_MS);
  signal.addEventListener('abort', wake);
  try {
    while (!signal.aborted) {
      const woken = board.woken();
      yield board.observations;
      await woken;
    }
  } finally {
    clearInterval(ticking);
    signal.removeEventListener('abort', wake);
    stop.abort();
    await Promise.all(looking);
  }
}

/**
 * Looks at everything once. What depends on something else that was seen is looked at after it.
 * @throws the signal's reason.
 */
export async function lookOnce(
  probes: readonly Probe[],
  { signal }: Waiting,
): Promise<Observations> {
  const board = new Board();
  const left = new Set(probes);
  for (;;) {
    const due = [...left].filter((probe) => isDue(probe, board));
    if (due.length === 0) return board.observations;
    await Promise.all(
      due.map(async (probe) => {
        left.delete(probe);
        board.add(await look(probe, { observations: board.observations, signal }));
      }),
    );
  }
}

/** The newest of what was learnt, for all to see. */
class Board {
  observations: Observations = {};
  #waiting: (() => void)[] = [];

  add({ observed }: Look): void {
    this.#set({ ...this.observations, ...observed });
  }

  /** What cannot be looked at any more is not so any more. */
  forget(name: keyof Observations): void {
    if (this.observations[name] === undefined) return;
    this.#set({ ...this.observations, [name]: undefined });
  }

  woken(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #set(observations: Observations): void {
    this.observations = observations;
    this.wake();
  }
}

function isDue({ isDue: ask }: Probe, { observations }: Board): boolean {
  return ask?.(observations) ?? true;
}

/** Ends well when the signal aborts. */
async function lookAgainAndAgain(
  probe: Probe,
  { board, signal }: { readonly board: Board; readonly signal: AbortSignal },
): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal });
  try {
    for (;;) {
      while (!isDue(probe, board)) {
        board.forget(probe.of);
        await pause(DUE_MS);
      }
      const startMs = performance.now();
      const result = await look(probe, { observations: board.observations, signal });
      board.add(result);
      await unlessAborted(result.ended, signal);
      const tookMs = performance.now() - startMs;
      const { pauseMs, restMs = pauseMs } = probe;
      await pause(Math.max(result.hasLearnt ? restMs : pauseMs, MOST_BUSY * tookMs));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
