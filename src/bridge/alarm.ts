import { type Clock } from '../base/clock.ts';

/** The longest that a timer of Node waits. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Rings once, at a moment that may be moved. It counts the time that passes while the machine runs:
 * after a sleep it rings that much later, so that alarms set apart stay apart.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** When it rings, in milliseconds since the epoch; infinite when it does not. */
  get at(): number {
    return this.#at;
  }

  noLaterThan(at: number): void {
    if (at >= this.#at) return;
    this.clear();
    this.#at = at;
    this.#wait(at - this.#clock());
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#at = Number.POSITIVE_INFINITY;
  }

  #wait(leftMs: number): void {
    this.#timer = setTimeout(
      () => {
        if (leftMs > LONGEST_MS) {
          this.#wait(leftMs - LONGEST_MS);
          return;
        }
        this.#at = Number.POSITIVE_INFINITY;
        this.#ring();
      },
      Math.min(Math.max(leftMs, 0), LONGEST_MS),
    );
  }
}
