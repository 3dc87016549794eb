import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import { type FeeRate, type Lookup } from '../lookup/lookup.ts';
import { lookupReason } from './lookup-reason.ts';
import { waitAtMost } from './wait-at-most.ts';

export interface FeeCacheOptions {
  readonly lookup: Pick<Lookup, 'fees'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const FRESH_MS = 60_000;
const USABLE_MS = 3_600_000;
/** A wallet that connects asks for fees first, and gives some servers three seconds. */
const WAIT_MS = 2_000;

/** The same fees for all wallets, whichever targets they ask for and however often. */
export class FeeCache implements AsyncDisposable {
  readonly #options: FeeCacheOptions;
  readonly #closing = new AbortController();
  #held: { readonly rates: readonly FeeRate[]; readonly at: number } | undefined;
  #askedAt = -Infinity;
  #asking: Promise<void> = Promise.resolve();

  constructor(options: FeeCacheOptions) {
    this.#options = options;
  }

  /** Milliseconds since the fees were heard; undefined when they never were. */
  get ageMs(): number | undefined {
    return this.#held && this.#options.clock() - this.#held.at;
  }

  /** By rising target; none when they cannot be had soon. */
  async rates(): Promise<readonly FeeRate[]> {
    this.refresh();
    if ((this.ageMs ?? Infinity) > USABLE_MS) await waitAtMost(this.#asking, WAIT_MS);
    return (this.ageMs ?? Infinity) > USABLE_MS ? [] : (this.#held?.rates ?? []);
  }

  /** Asks for them unless that was done within the last minute. */
  refresh(): void {
    const now = this.#options.clock();
    if (now - this.#askedAt < FRESH_MS || this.#closing.signal.aborted) return;
    this.#askedAt = now;
    this.#asking = this.#ask();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the bridge stops'));
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { lookup, clock, log } = this.#options;
    const { signal } = this.#closing;
    try {
      const rates = await lookup.fees({ signal });
      this.#held = { rates, at: clock() };
    } catch (error) {
      if (signal.aborted) return;
      log.warn('the fees could not be asked for', { reason: lookupReason(error) });
    }
  }
}
