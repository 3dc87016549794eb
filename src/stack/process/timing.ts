import { setTimeout as timeout } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';

/** Time and chance, as tests set them. */
export interface Timing {
  readonly clock: Clock;
  /** Ends early when the signal aborts, without an error. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to 1. */
  random(): number;
}

export const realTiming: Timing = {
  clock: Date.now,
  sleep: (ms, signal) => timeout(ms, undefined, { signal }).catch(() => undefined),
  random: Math.random,
};
