import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock } from '../base/clock.ts';

/** A clock, and the way to wait for it. */
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

/** What votes, consensuses and files tell the time by. Somebody may set it. */
export const wallTime: Time = timeBy(() => Date.now());

/**
 * Nobody can set it: it began with the process, at what the clock said then, and goes on at one pace, but not
 * while the machine sleeps. Tells whiles apart, and nothing else: what the clock said may have been wrong.
 */
export const steadyTime: Time = timeBy(() =>
  Math.floor(performance.timeOrigin + performance.now()),
);

/** Looks at the clock every second, because somebody may set it. */
function timeBy(now: Clock): Time {
  return {
    now,
    async sleepUntil(ms, signal) {
      signal.throwIfAborted();
      let latest = now();
      for (let at = latest; at < ms && at > latest - SET_BACK_MS; at = now()) {
        latest = Math.max(latest, at);
        await sleep(Math.min(ms - at, LOOK_AGAIN_MS), undefined, { signal });
      }
    },
  };
}

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
