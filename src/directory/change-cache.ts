import { equalBytes, fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { renderChange } from './consensus-change.ts';
import { HASH } from './fields.ts';
import { textOfNote } from './note.ts';

/** From how many consensuses back a change is made: two days, with one every 6 hours. */
const MOST_BACK = 8;
/** The most that a consensus has until the end of its line `prev`. */
const HEAD_BYTES = 136;
const PREV = new RegExp(`^prev (${HASH})$`, 'm');

/**
 * The changes that lead to the newest consensus from those just before it, each made once and only when
 * it is asked for, because to compare two takes long. Who holds an older one fetches the whole.
 */
export class ChangeCache {
  readonly #noteOf: (hash: Uint8Array) => Uint8Array | undefined;
  #to = new Uint8Array(0);
  /** By the hash in hexadecimal of where they start; undefined while nobody has asked. */
  readonly #made = new Map<string, Uint8Array | undefined>();

  /** `noteOf` gives the note of the consensus whose text has this hash, if it is held. */
  constructor(noteOf: (hash: Uint8Array) => Uint8Array | undefined) {
    this.#noteOf = noteOf;
  }

  /**
   * What leads from a consensus to the note of the newest; undefined when one is not held, or too old.
   * Changes to another than `newest` are forgotten.
   */
  between(from: Uint8Array, newest: Uint8Array): Uint8Array | undefined {
    const to = this.#noteOf(newest);
    if (to === undefined) return undefined;
    if (!equalBytes(newest, this.#to)) this.#begin(newest, to);
    const key = toHex(from);
    const made = this.#made.get(key);
    const note = this.#made.has(key) ? this.#noteOf(from) : undefined;
    if (made !== undefined || note === undefined) return made;
    const change = utf8(renderChange({ text: textOfNote(note), hash: from }, fromUtf8(to)));
    this.#made.set(key, change);
    return change;
  }

  #begin(newest: Uint8Array, to: Uint8Array): void {
    this.#to = Uint8Array.from(newest);
    this.#made.clear();
    let note: Uint8Array | undefined = to;
    while (note !== undefined && this.#made.size < MOST_BACK) {
      const prev = prevOf(note);
      if (prev === undefined) return;
      this.#made.set(prev, undefined);
      note = this.#noteOf(fromHex(prev));
    }
  }
}

/** The hash of the consensus before, in hexadecimal. */
function prevOf(note: Uint8Array): string | undefined {
  return PREV.exec(fromUtf8(note.subarray(0, HEAD_BYTES)))?.[1];
}
