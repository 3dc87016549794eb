import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock } from '../base/clock.ts';

/** The clock that an authority goes by, and the way to wait for it. */
export interface Time {
  readonly now: Clock;
  /**
   * Resolves once `now` is at or after `ms`, or when the clock is set back by more than `SET_BACK_MS`;
   * rejects with the signal's reason when aborted.
   */
  sleepUntil(ms: number, signal: AbortSignal): Promise<void>;
}

/** More than a clock that is kept right is ever set back. */
export const SET_BACK_MS = 60_000;
const LOOK_AGAIN_MS = 1000;

/** Looks at the clock every second, because somebody may set it. */
export const wallTime: Time = {
  now: Date.now,
  async sleepUntil(ms, signal) {
    signal.throwIfAborted();
    let latest = Date.now();
    for (let now = latest; now < ms && now > latest - SET_BACK_MS; now = Date.now()) {
      latest = Math.max(latest, now);
      await sleep(Math.min(ms - now, LOOK_AGAIN_MS), undefined, { signal });
    }
  },
};

/** @throws Error when the clock was set back meanwhile; the signal's reason when aborted. */
export async function reach(ms: number, time: Time, signal: AbortSignal): Promise<void> {
  await time.sleepUntil(ms, signal);
  if (time.now() < ms) throw new Error('the clock was set back');
}

export interface Deadline {
  readonly deadlineMs: number;
  readonly time: Time;
  readonly signal: AbortSignal;
}

/**
 * What the work comes to; its signal aborts at the deadline, and it is not waited for any longer.
 * @throws Error when the time is over; the signal's reason when aborted; whatever the work throws.
 */
export async function byDeadline<T>(
  { deadlineMs, time, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const either = AbortSignal.any([signal, end.signal]);
  const over = time.sleepUntil(deadlineMs, either).then((): never => {
    throw new Error('not in time');
  });
  try {
    return await Promise.race([work(either), over]);
  } finally {
    end.abort();
  }
}
