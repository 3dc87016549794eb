const FIRST_MS = 250;
const MAX_MS = 60_000;
/** Who ran so long is not one that fails at its start. */
const CALM_MS = 60_000;

/** How long to wait before a service is started again: twice as long each time, up to a minute. */
export class BackOff {
  readonly #random: () => number;
  #ceilingMs = FIRST_MS;

  /** @param random from 0 to 1, so that services that fell together do not rise together. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The wait, in milliseconds, after it ran for so long: from half the ceiling to all of it. */
  after(ranMs: number): number {
    if (ranMs >= CALM_MS) this.#ceilingMs = FIRST_MS;
    const wait = this.#ceilingMs * (0.5 + this.#random() / 2);
    this.#ceilingMs = Math.min(this.#ceilingMs * 2, MAX_MS);
    return Math.round(wait);
  }
}
