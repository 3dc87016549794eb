import type { Time } from '../src/authority/time.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that jumps to whatever is waited for next, once nothing else is left to do. */
export class VirtualTime {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** A clock that is wrong by so much. */
  shifted(byMs: number): Time {
    return {
      now: () => this.#nowMs + byMs,
      sleepUntil: (ms, signal) => this.sleepUntil(ms - byMs, signal),
    };
  }

  async sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (atMs <= this.#nowMs) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      };
      const wake = (): void => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper = { atMs, wake };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** A clock that is wrong by so much until it is set back; who waits for it then is woken. */
  ahead(byMs: number): Time & { setBack: () => void } {
    const set = new AbortController();
    const clock = this.shifted(byMs);
    const now = (): number => (set.signal.aborted ? this.#nowMs : clock.now());
    return {
      now,
      sleepUntil: async (ms, signal) => {
        if (set.signal.aborted) {
          await this.sleepUntil(ms, signal);
          return;
        }
        const either = AbortSignal.any([signal, set.signal]);
        await clock.sleepUntil(ms, either).catch((error: unknown) => {
          if (!set.signal.aborted) throw error;
          signal.throwIfAborted();
        });
      },
      setBack: () => {
        set.abort();
      },
    };
  }

  /** Lets time pass until then. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const first = this.#sleepers.reduce<Sleeper | undefined>(
        (least, each) => (least === undefined || each.atMs < least.atMs ? each : least),
        undefined,
      );
      if (first === undefined || first.atMs > untilMs) break;
      this.#nowMs = first.atMs;
      this.#sleepers = this.#sleepers.filter((other) => other !== first);
      first.wake();
    }
    this.#nowMs = untilMs;
  }
}
