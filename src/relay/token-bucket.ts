import type { Clock } from '../base/clock.ts';

export interface TokenBucketOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: Clock;
}

/** Lets `burst` through at once and `perSecond` from then on. Starts full. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor({ perSecond, burst, clock }: TokenBucketOptions) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#filledAt = clock();
  }

  /** Whether so many more may pass; they are counted when they may. */
  take(count = 1): boolean {
    if (this.missingMs(count) > 0) return false;
    this.#tokens -= count;
    return true;
  }

  /** Until so many may pass, if nobody else takes any: 0 when they may now. */
  missingMs(count = 1): number {
    const now = this.#clock();
    // A clock that is set back gives nothing and takes nothing.
    const gained = Math.max(0, now - this.#filledAt) * this.#perMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAt = now;
    return Math.max(0, (count - this.#tokens) / this.#perMs);
  }
}
