import { BoundedCache } from '../base/bounded-cache.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { renderChange } from './consensus-change.ts';
import { textOfNote } from './note.ts';

/** Room for the changes that most ask for: from the newest consensuses to the newest. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Changes between consensuses that are held, each made once, because to compare two takes long. */
export class ChangeCache {
  readonly #noteOf: (hash: Uint8Array) => Uint8Array | undefined;
  readonly #made = new BoundedCache<Uint8Array>(MAX_BYTES, ({ length }) => length);

  /** `noteOf` gives the note of the consensus whose text has this hash, if it is held. */
  constructor(noteOf: (hash: Uint8Array) => Uint8Array | undefined) {
    this.#noteOf = noteOf;
  }

  /** What leads from one consensus to the note of another; undefined when one is not held. */
  between(fromHash: Uint8Array, toHash: Uint8Array): Uint8Array | undefined {
    const key = `${toHex(fromHash)} ${toHex(toHash)}`;
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const [from, to] = [this.#noteOf(fromHash), this.#noteOf(toHash)];
    if (from === undefined || to === undefined) return undefined;
    const text = textOfNote(from);
    const change = utf8(renderChange({ text, hash: fromHash }, fromUtf8(to)));
    this.#made.set(key, change);
    return change;
  }
}
