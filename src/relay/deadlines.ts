import type { Clock } from '../base/clock.ts';

export interface DeadlinesOptions<T> {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onExpired: (item: T) => void;
}

/** Items that all may take the same time, counted from when each was added. One timer for all. */
export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>;
  /** In the order they were added, which is that of their deadlines. */
  readonly #deadlines = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    this.#deadlines.set(item, this.#options.clock() + this.#options.timeoutMs);
    this.#timer ??= this.#wait(this.#options.timeoutMs);
  }

  /** Whether the item was still waited for. */
  delete(item: T): boolean {
    return this.#deadlines.delete(item);
  }

  clear(): void {
    this.#deadlines.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#expire();
    }, delayMs);
  }

  #expire(): void {
    const now = this.#options.clock();
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) {
        this.#timer ??= this.#wait(deadline - now);
        return;
      }
      this.#deadlines.delete(item);
      this.#options.onExpired(item);
    }
  }
}
