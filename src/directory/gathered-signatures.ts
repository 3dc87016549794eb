import { equalBytes, toHex } from '../base/bytes.ts';
import { combineNotes } from './combine-notes.ts';
import { attachSignature, type DetachedSignature } from './detached-signature.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { checkSize, digestOfText, formatVerifierKey, openNote, textOfNote } from './note.ts';
import { type Policy } from './policy.ts';

/**
 * Signatures of the consensus of one slot, one by each authority. They may be of different texts:
 * only one that a quorum has signed comes out.
 */
export class GatheredSignatures {
  readonly #policy: Policy;
  readonly #texts = new Map<string, string>();
  /** Notes with one signature, by the signer. */
  readonly #notes = new Map<string, string>();

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  hasText(hash: Uint8Array): boolean {
    return this.#texts.has(toHex(hash));
  }

  addText(text: string): void {
    this.#texts.set(toHex(digestOfText(text)), text);
  }

  /** @throws DirectoryError `too-large`, `malformed`, `wrong-digest`. */
  addTextOf(note: Uint8Array, hash: Uint8Array): void {
    checkSize(note, MAX_CONSENSUS_BYTES);
    const text = textOfNote(note);
    if (!equalBytes(digestOfText(text), hash)) {
      throw new DirectoryError('wrong-digest', 'not the consensus that was asked for');
    }
    this.addText(text);
  }

  /**
   * Of each authority the first one counts. Its text must be there.
   * @throws DirectoryError `malformed`, `bad-signature`, `unknown-authority`.
   */
  add(signature: DetachedSignature): void {
    const text = this.#texts.get(toHex(signature.hash));
    if (text === undefined) throw new Error('the text of a signature is not there');
    const note = attachSignature(text, signature);
    const verifiers = this.#policy.authorities.map(({ verifier }) => verifier);
    const [signer] = openNote(note, verifiers).signers;
    if (signer === undefined) {
      throw new DirectoryError('unknown-authority', 'a signature of nobody in the policy');
    }
    const key = formatVerifierKey(signer);
    if (!this.#notes.has(key)) this.#notes.set(key, note);
  }

  /** The consensus note with all signatures of its text, if they are a quorum. */
  quorum(): string | undefined {
    return combineNotes([...this.#notes.values()], this.#policy);
  }
}
