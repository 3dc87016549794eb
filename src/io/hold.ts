import { randomInt } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { shuffled } from '../base/shuffled.ts';

export interface HoldOptions<T> {
  readonly clock: Clock;
  /** Called once for all the items of one moment, in random order. */
  readonly release: (items: T[]) => void;
  /** A whole number from 0 to `below` - 1, uniformly. */
  readonly random?: (below: number) => number;
}

interface Slot<T> {
  readonly items: T[];
  readonly cancel: () => void;
}

/** Moments within a time are this far apart, so that items share them. */
const STEP_MS = 10;

/** Keeps items until the moment each is due. The order in which they came does not show. */
export class Hold<T> {
  readonly #options: HoldOptions<T>;
  readonly #slots = new Map<number, Slot<T>>();

  constructor(options: HoldOptions<T>) {
    this.#options = options;
  }

  /** `at`: Unix milliseconds. Few different moments make few timers. */
  add(item: T, at: number): void {
    const slot = this.#slots.get(at) ?? this.#open(at);
    slot.items.push(item);
  }

  /** At a random moment of the next milliseconds; after this turn when there are none. */
  addWithin(item: T, windowMs: number): void {
    const { clock, random = randomInt } = this.#options;
    const now = clock();
    const moment = Math.ceil((now + random(windowMs + 1)) / STEP_MS) * STEP_MS;
    this.add(item, windowMs === 0 ? now : moment);
  }

  /** Drops what is held. */
  clear(): void {
    for (const { cancel } of this.#slots.values()) cancel();
    this.#slots.clear();
  }

  #open(at: number): Slot<T> {
    const items: T[] = [];
    const fire = (): void => {
      this.#slots.delete(at);
      this.#options.release(shuffled(items, this.#options.random ?? randomInt));
    };
    const slot = { items, cancel: schedule(fire, at - this.#options.clock()) };
    this.#slots.set(at, slot);
    return slot;
  }
}

/** A timer never takes less than a millisecond, so what is due at once goes after this turn. */
function schedule(run: () => void, delayMs: number): () => void {
  if (delayMs <= 0) {
    const immediate = setImmediate(run);
    return () => {
      clearImmediate(immediate);
    };
  }
  const timer = setTimeout(run, delayMs);
  return () => {
    clearTimeout(timer);
  };
}
