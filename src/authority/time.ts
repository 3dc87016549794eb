import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock } from '../base/clock.ts';

/** The clock that an authority goes by, and the way to wait for it. */
export interface Time {
  readonly now: Clock;
  /** Resolves once `now` is at or after `ms`; rejects with the signal's reason when aborted. */
  sleepUntil(ms: number, signal: AbortSignal): Promise<void>;
}

const LOOK_AGAIN_MS = 1000;

/** Looks at the clock every second, because somebody may set it. */
export const wallTime: Time = {
  now: Date.now,
  async sleepUntil(ms, signal) {
    signal.throwIfAborted();
    for (let left = ms - Date.now(); left > 0; left = ms - Date.now()) {
      await sleep(Math.min(left, LOOK_AGAIN_MS), undefined, { signal });
    }
  },
};

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
