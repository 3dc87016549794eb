/** With so many answers work can go on. */
const ENOUGH = 2;

/**
 * How long others are waited for once enough have answered: as long again as that took, twice, and
 * a grace. So one that is silent holds up nobody for its whole timeout.
 */
export class Patience {
  readonly #graceMs: number;
  readonly #startedAt = performance.now();
  readonly #out = new AbortController();
  #answers = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Aborts when those who have not answered are not worth waiting for. */
  get signal(): AbortSignal {
    return this.#out.signal;
  }

  answered(): void {
    this.#answers += 1;
    if (this.#answers !== ENOUGH) return;
    const tookMs = performance.now() - this.#startedAt;
    this.#timer = setTimeout(
      () => {
        this.#out.abort(new Error('much later than the others'));
      },
      2 * tookMs + this.#graceMs,
    );
  }

  /** There is nobody left to wait for. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
