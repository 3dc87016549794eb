import { hash, randomBytes } from 'node:crypto';
import { concatBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import { MAX_SKEW_MINUTES, REPLAY_CACHE_ENTRIES } from './limits.ts';

export interface ReplayCacheOptions {
  readonly clock: Clock;
  readonly capacity?: number;
}

/**
 * The ephemeral keys of the cells that a gateway accepted, for as long as their minute would let them
 * be accepted again (spec/relay.md section 2.5). It never forgets one sooner: when full it refuses.
 * Memory: 16 to 32 bytes an entry.
 */
export class ReplayCache {
  readonly #clock: Clock;
  readonly #capacity: number;
  /** Keyed, so that nobody can choose cells whose fingerprints collide. */
  readonly #salt = randomBytes(16);
  readonly #byMinute = new Map<number, FingerprintSet>();
  /** Minutes before this one are forgotten, and stay closed when the clock is set back. */
  #oldestMinute = 0;
  #size = 0;

  constructor({ clock, capacity = REPLAY_CACHE_ENTRIES }: ReplayCacheOptions) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  has(enc: Uint8Array): boolean {
    const fingerprint = this.#fingerprintOf(enc);
    for (const set of this.#byMinute.values()) if (set.has(fingerprint)) return true;
    return false;
  }

  /**
   * Remembers the `enc` of a request of this minute.
   * @returns whether it did: not when full, nor when the minute has passed the window already.
   */
  add(enc: Uint8Array, minute: number): boolean {
    this.#forgetOld();
    if (this.#size >= this.#capacity || minute < this.#oldestMinute) return false;
    let set = this.#byMinute.get(minute);
    if (set === undefined) this.#byMinute.set(minute, (set = new FingerprintSet()));
    set.add(this.#fingerprintOf(enc));
    this.#size += 1;
    return true;
  }

  #forgetOld(): void {
    const oldest = Math.floor(this.#clock() / 60_000) - MAX_SKEW_MINUTES;
    if (oldest <= this.#oldestMinute) return;
    this.#oldestMinute = oldest;
    for (const [minute, set] of this.#byMinute) {
      if (minute >= oldest) continue;
      this.#byMinute.delete(minute);
      this.#size -= set.size;
    }
  }

  #fingerprintOf(enc: Uint8Array): Buffer {
    return hash('sha256', concatBytes(this.#salt, enc), 'buffer');
  }
}
