import { toHex } from '../base/bytes.ts';
import { cosignatureKeyId, openCosignature } from './cosignature.ts';
import { DirectoryError } from './directory-error.ts';
import {
  decodeNote,
  keyIdOf,
  type NoteVerifier,
  openNote,
  parseSignatureLine,
  signatureLinesOf,
  textOfNote,
} from './note.ts';

/** Bytes of a checkpoint note: as many signatures as a note can hold, with the longest names. */
export const MAX_CHECKPOINT_BYTES = 65_536;

export interface GatheringOptions {
  /** Of the checkpoint that is signed. */
  readonly text: string;
  readonly authorities: readonly NoteVerifier[];
  readonly witnesses: readonly NoteVerifier[];
}

/** One of those who sign, and how their line is checked. */
interface Signer {
  check(line: string): void;
}

/** The signatures of authorities and cosignatures of witnesses under one checkpoint, each once. */
export class GatheredCosignatures {
  readonly text: string;
  readonly #authorities: ReadonlyMap<string, Signer>;
  readonly #witnesses: ReadonlyMap<string, Signer>;
  /** By the signer's name and key id. */
  readonly #lines = new Map<string, string>();

  constructor({ text, authorities, witnesses }: GatheringOptions) {
    this.text = text;
    this.#authorities = new Map(
      authorities.map((verifier) => {
        const check = (line: string) => void openNote(`${text}\n${line}\n`, [verifier]);
        return [labelOf(verifier.name, keyIdOf(verifier.name, verifier.key.bytes)), { check }];
      }),
    );
    this.#witnesses = new Map(
      witnesses.map((verifier) => {
        const check = (line: string) => void openCosignature(line, text, verifier);
        return [labelOf(verifier.name, cosignatureKeyId(verifier)), { check }];
      }),
    );
  }

  /** The witnesses that have cosigned, by name and key id. */
  get cosigners(): readonly string[] {
    return [...this.#lines.keys()].filter((label) => this.#witnesses.has(label));
  }

  /** A signed note of the checkpoint; undefined while nobody has signed it. */
  get note(): string | undefined {
    if (this.#lines.size === 0) return undefined;
    const lines = [...this.#lines].sort(([one], [other]) => (one < other ? -1 : 1));
    return `${this.text}\n${lines.map(([, line]) => `${line}\n`).join('')}`;
  }

  /**
   * Takes the signatures of those it knows, all of them or none; says how many the note has.
   * @throws DirectoryError `too-large`, `malformed`; `wrong-digest` for another text;
   * `duplicate-signature`, `bad-signature`.
   */
  take(bytes: Uint8Array | string): number {
    const note = decodeNote(bytes, MAX_CHECKPOINT_BYTES);
    if (textOfNote(note) !== this.text) {
      throw new DirectoryError('wrong-digest', 'another checkpoint');
    }
    const taken = new Map<string, string>();
    for (const line of signatureLinesOf(note)) {
      const { name, keyId } = parseSignatureLine(line);
      const label = labelOf(name, keyId);
      const signer = this.#authorities.get(label) ?? this.#witnesses.get(label);
      if (signer === undefined) continue;
      if (taken.has(label)) throw new DirectoryError('duplicate-signature', `${name} signed twice`);
      if (this.#lines.get(label) !== line) signer.check(line);
      taken.set(label, line);
    }
    for (const [label, line] of taken) {
      if (!this.#lines.has(label)) this.#lines.set(label, line);
    }
    return taken.size;
  }
}

function labelOf(name: string, keyId: Uint8Array): string {
  return `${name} ${toHex(keyId)}`;
}
