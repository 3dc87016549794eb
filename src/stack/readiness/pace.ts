const WINDOW_MS = 10 * 60_000;
/** Less says nothing: work comes in bursts. */
const LEAST_MS = 30_000;
/** A slow disk tells of its progress so rarely that the window alone would hold nothing. */
const KEPT_ADVANCES = 4;
/** Waiting so many times longer than for the advances before means that it has stopped. */
const STALLED_AFTER_GAPS = 4;
/** A machine that slept, or whose clock was set, made no progress that could be measured. */
const LONGEST_SILENCE_MS = 5 * 60_000;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** How fast something gets on, from what was seen of it lately. */
export class Pace {
  /** Where it advanced, oldest first. */
  #advances: Sample[] = [];
  #seenMs = -Infinity;

  /** When it last got on; when it was first seen, if it never did. */
  get advancedMs(): number | undefined {
    return this.#advances.at(-1)?.atMs;
  }

  /** @param done 0 to 1. */
  note(done: number, nowMs: number): void {
    const silence = nowMs - this.#seenMs;
    const last = this.#advances.at(-1);
    this.#seenMs = nowMs;
    if (last === undefined || silence < 0 || silence > LONGEST_SILENCE_MS || done < last.done) {
      this.#advances = [{ atMs: nowMs, done }];
      return;
    }
    if (done === last.done) return;
    this.#advances.push({ atMs: nowMs, done });
    while (this.#advances.length > KEPT_ADVANCES && this.#isOld(this.#advances[1], nowMs)) {
      this.#advances.shift();
    }
  }

  /** Undefined while it is not known. Never under a second. */
  secondsLeft(nowMs: number): number | undefined {
    const first = this.#advances[0];
    const last = this.#advances.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const span = last.atMs - first.atMs;
    if (span < LEAST_MS) return undefined;
    const gap = span / (this.#advances.length - 1);
    const waited = nowMs - last.atMs;
    if (waited > Math.max(LEAST_MS, STALLED_AFTER_GAPS * gap)) return undefined;
    const left = ((1 - last.done) * span) / (last.done - first.done);
    return Math.max(1, Math.round((left - waited) / 1000));
  }

  #isOld(sample: Sample | undefined, nowMs: number): boolean {
    return sample !== undefined && nowMs - sample.atMs >= WINDOW_MS;
  }
}
