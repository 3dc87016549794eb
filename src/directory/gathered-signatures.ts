import { equalBytes, toHex } from '../base/bytes.ts';
import { combineNotes } from './combine-notes.ts';
import { parseConsensus } from './consensus.ts';
import { attachSignature, type DetachedSignature } from './detached-signature.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { checkSize, digestOfText, formatVerifierKey, openNote, textOfNote } from './note.ts';
import { type Policy } from './policy.ts';
import { checkInSlot, type Slot } from './timeline.ts';

/**
 * Signatures of the consensus of one slot, one by each authority. They may be of different texts:
 * only one that a quorum has signed comes out.
 */
export class GatheredSignatures {
  readonly #policy: Policy;
  readonly #slot: Slot;
  /** Of the slot, each signed by an authority at least. */
  readonly #texts = new Map<string, string>();
  /** Notes with one signature, by the signer. */
  readonly #notes = new Map<string, string>();

  constructor(policy: Policy, slot: Slot) {
    this.#policy = policy;
    this.#slot = slot;
  }

  hasText(hash: Uint8Array): boolean {
    return this.#texts.has(toHex(hash));
  }

  /**
   * Of each authority the first one counts. It is of a consensus of the slot: all that an authority
   * signed before is there for everyone to show again.
   * @param consensus a note with the text that was signed, where it is not here.
   * @throws DirectoryError `too-large`, `malformed`, `wrong-digest`, `bad-signature`,
   * `unknown-authority`, `duplicate-node`, `wrong-network`, `wrong-slot`.
   */
  add(signature: DetachedSignature, consensus?: Uint8Array | string): void {
    const hash = toHex(signature.hash);
    const text = this.#texts.get(hash) ?? textOf(signature, consensus);
    const note = attachSignature(text, signature);
    const verifiers = this.#policy.authorities.map(({ verifier }) => verifier);
    const [signer] = openNote(note, verifiers).signers;
    if (signer === undefined) {
      throw new DirectoryError('unknown-authority', 'a signature of nobody in the policy');
    }
    if (!this.#texts.has(hash)) {
      checkInSlot(parseConsensus(text), this.#policy.network, this.#slot);
      this.#texts.set(hash, text);
    }
    const key = formatVerifierKey(signer);
    if (!this.#notes.has(key)) this.#notes.set(key, note);
  }

  /** The consensus note with all signatures of its text, if they are a quorum. */
  quorum(): string | undefined {
    return combineNotes([...this.#notes.values()], this.#policy);
  }
}

function textOf({ hash }: DetachedSignature, consensus: Uint8Array | string | undefined): string {
  if (consensus === undefined) throw new Error('the text of a signature is not there');
  checkSize(consensus, MAX_CONSENSUS_BYTES);
  const text = textOfNote(consensus);
  if (!equalBytes(digestOfText(text), hash)) {
    throw new DirectoryError('wrong-digest', 'not the consensus that was asked for');
  }
  return text;
}
