import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import type { Waiting } from '../backend.ts';
import type { OnionName } from '../home.ts';
import { type Look, look, type Probe } from './look.ts';
import type { Subject } from './judgement.ts';
import type { Observations } from './observations.ts';
import { Readiness } from './readiness.ts';
import { type ProbedStack, stackProbes } from './stack-probes.ts';
import type { Step } from './step.ts';

export interface WatchOptions extends Waiting {
  readonly clock: Clock;
}

/** What was seen of a server at one moment. */
export interface Sight {
  readonly steps: readonly Step[];
  readonly observations: Observations;
}

/** Times go on when nothing else does. */
const TICK_MS = 1_000;

/**
 * Looks at a server until the signal aborts, and tells what it sees whenever that changes, at least
 * once a second. Each probe looks by itself, never twice at a time; what one of them cannot learn
 * does not stop the others.
 */
export async function* watchStack(
  stack: ProbedStack,
  { clock, signal }: WatchOptions,
): AsyncGenerator<Sight> {
  await using all = stackProbes(stack, clock);
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  const board = new Board();
  const looking = all.probes.map((probe) => lookAgainAndAgain(probe, { board, signal: stopping }));
  const readiness = new Readiness(subjectOf(stack));
  try {
    while (!signal.aborted) {
      const { observations } = board;
      yield { observations, steps: readiness.steps(observations, clock()) };
      await Promise.race([
        board.changed(),
        sleep(TICK_MS, undefined, { signal }).catch(() => undefined),
      ]);
    }
  } finally {
    stop.abort();
    await Promise.all(looking);
  }
}

/**
 * Looks at everything once. What depends on something else that was seen is looked at after it.
 * @throws the signal's reason.
 */
export async function lookAtStack(
  stack: ProbedStack,
  { clock, signal }: WatchOptions,
): Promise<Sight> {
  await using all = stackProbes(stack, clock);
  const board = new Board();
  const seen = new Set<Probe>();
  for (;;) {
    const due = all.probes.filter(
      (probe) => !seen.has(probe) && (probe.isDue?.(board.observations) ?? true),
    );
    if (due.length === 0) break;
    for (const probe of due) seen.add(probe);
    await Promise.all(
      due.map(async (probe) => {
        board.add(await look(probe, { observations: board.observations, signal }));
      }),
    );
  }
  const { observations } = board;
  return { observations, steps: new Readiness(subjectOf(stack)).steps(observations, clock()) };
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
    if (this.observations[name] !== undefined)
      this.#set({ ...this.observations, [name]: undefined });
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #set(observations: Observations): void {
    this.observations = observations;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function subjectOf({ config }: ProbedStack): Subject {
  const { network, target, relay } = config;
  const onions: readonly OnionName[] =
    target === 'devnet' ? ['wallet', 'relay'] : ['wallet', 'relay', 'p2p'];
  return { network, target, onions, hasRelayNetwork: relay !== undefined };
}

/** How soon something that became due is looked at. */
const DUE_MS = 250;

/** Never rejects. Ends when the signal aborts. */
async function lookAgainAndAgain(
  probe: Probe,
  { board, signal }: { readonly board: Board; readonly signal: AbortSignal },
): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal });
  try {
    for (;;) {
      while (probe.isDue?.(board.observations) === false) {
        board.forget(probe.of);
        await pause(DUE_MS);
      }
      const result = await look(probe, { observations: board.observations, signal });
      board.add(result);
      await unlessAborted(result.ended, signal);
      await pause(probe.pauseMs);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
