import { equalBytes, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_VOTE_NOTE_BYTES } from './limits.ts';
import {
  decodeNote,
  formatVerifierKey,
  joinNotes,
  keepSignaturesOf,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  signNote,
} from './note.ts';
import { type Policy } from './policy.ts';
import { loadPublicKey } from './public-key.ts';
import { type Slot } from './timeline.ts';
import { checkVoteFits, parseVote, type Vote } from './vote.ts';
import { MAX_VOTES_OF_AUTHOR, type VoteIndexEntry } from './vote-index.ts';

/** A vote that was accepted. */
export interface HeldVote {
  readonly vote: Vote;
  /** With the signatures of authorities only, our own among them. */
  readonly note: string;
  readonly signatures: number;
}

export interface VoteExchangeOptions {
  readonly policy: Policy;
  readonly slot: Slot;
  /** This authority, under the name and key that the policy has of it. */
  readonly signer: NoteSigner;
}

/**
 * The votes of one slot, as one authority accepts them: signed relaying after Dolev and Strong (1983,
 * spec/directory.md section 9). In round r a vote needs the signatures of r authorities, and whoever
 * accepts it adds its own and shows it. One that comes in the last round has been signed by an
 * authority that does not lie, which has shown it to all before; so those that do not lie hold the
 * same votes in the end, or two of the same author, whatever the others do.
 */
export class VoteExchange {
  readonly slot: Slot;
  readonly #network: string;
  readonly #verifiers: readonly NoteVerifier[];
  readonly #authors: ReadonlySet<string>;
  readonly #signer: NoteSigner;
  readonly #ourselves: NoteVerifier;
  readonly #held = new Map<string, HeldVote>();

  constructor({ policy, slot, signer }: VoteExchangeOptions) {
    this.slot = slot;
    this.#network = policy.network;
    this.#verifiers = policy.authorities.map(({ verifier }) => verifier);
    this.#authors = new Set(this.#verifiers.map(formatVerifierKey));
    this.#signer = signer;
    this.#ourselves = { name: signer.name, key: loadPublicKey(signer.key.publicKey) };
  }

  /**
   * The vote with our signature, for `hold` once it is on disk: what is not held yet is not shown.
   * @param now milliseconds since the Unix epoch, when the whole note was there.
   * @throws DirectoryError as `read`, and `late` with fewer signatures than the time asks for,
   * `equivocated` when two votes of its author are held already.
   */
  accept(note: Uint8Array | string, now: number): HeldVote {
    const read = this.read(note);
    if (read.signatures < this.#signaturesNeeded(now)) {
      throw new DirectoryError('late', `${read.signatures} signatures are too few by now`);
    }
    if (this.#votesOf(formatVerifierKey(read.vote.author)).length >= MAX_VOTES_OF_AUTHOR) {
      throw new DirectoryError('equivocated', 'two votes of its author are held already');
    }
    return read.signedByUs ? read : this.#countersign(read);
  }

  /**
   * The vote as it is, at whatever time.
   * @throws DirectoryError `too-large`, `malformed`, `weak-key`, `duplicate-node`, `wrong-network`,
   * `wrong-slot`, `unknown-authority`, `bad-signature`, `duplicate-signature`, `too-few-signatures`.
   */
  read(bytes: Uint8Array | string): HeldVote & { readonly signedByUs: boolean } {
    const { text, signers } = openNote(decodeNote(bytes, MAX_VOTE_NOTE_BYTES), this.#verifiers);
    const vote = parseVote(text);
    checkVoteFits(vote, this.#network, this.slot);
    const author = this.#verifiers.find((verifier) => isSame(vote.author, verifier));
    if (author === undefined) {
      throw new DirectoryError('unknown-authority', 'a vote of nobody in the policy');
    }
    if (!signers.includes(author)) {
      throw new DirectoryError('too-few-signatures', 'its author did not sign the vote');
    }
    // A line of a stranger could make the note too large for those it is shown to.
    const note = keepSignaturesOf(decodeNote(bytes, MAX_VOTE_NOTE_BYTES), this.#verifiers);
    const signedByUs = signers.some((signer) => isSame(signer, this.#ourselves));
    return { vote, note, signatures: signers.length, signedByUs };
  }

  /** From now on the vote is shown and counts. */
  hold(held: HeldVote): void {
    this.#held.set(toHex(held.vote.digest), held);
  }

  /** Whether a vote that another authority shows would be accepted now, if it is what it is said to be. */
  wants({ digest, signatures, author }: VoteIndexEntry, now: number): boolean {
    return (
      this.#authors.has(author) &&
      !this.#held.has(toHex(digest)) &&
      signatures >= this.#signaturesNeeded(now) &&
      this.#votesOf(author).length < MAX_VOTES_OF_AUTHOR
    );
  }

  index(): readonly VoteIndexEntry[] {
    return [...this.#held.values()].map(({ vote, signatures }) => ({
      digest: vote.digest,
      signatures,
      author: formatVerifierKey(vote.author),
    }));
  }

  /** The note of a vote that is held. `digest`: SHA-256 of its text. */
  noteOf(digest: Uint8Array): string | undefined {
    return this.#held.get(toHex(digest))?.note;
  }

  hasOwnVote(): boolean {
    return [...this.#held.values()].some(({ vote }) => isSame(vote.author, this.#ourselves));
  }

  /** One vote for each author of whom one is held; who has two votes has none. */
  counted(): readonly Vote[] {
    return [...this.#byAuthor().values()].flatMap((held) =>
      held.length === 1 ? held.map(({ vote }) => vote) : [],
    );
  }

  /** For each author with two votes both notes: its own signature under each is the proof. */
  equivocations(): readonly (readonly string[])[] {
    return [...this.#byAuthor().values()]
      .filter((held) => held.length > 1)
      .map((held) => held.map(({ note }) => note));
  }

  /** As many as the round that `now` is in has for a number; more than there can be after the last. */
  #signaturesNeeded(now: number): number {
    const round = this.slot.roundEndsMs.findIndex((end) => now <= end);
    return round < 0 ? Infinity : round + 1;
  }

  #countersign({ vote, note, signatures }: HeldVote): HeldVote {
    const signed = joinNotes([note, signNote(vote.text, this.#signer)]);
    return { vote, note: signed, signatures: signatures + 1 };
  }

  #votesOf(author: string): readonly HeldVote[] {
    return this.#byAuthor().get(author) ?? [];
  }

  #byAuthor(): ReadonlyMap<string, readonly HeldVote[]> {
    const byAuthor = new Map<string, HeldVote[]>();
    for (const held of this.#held.values()) {
      const author = formatVerifierKey(held.vote.author);
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), held]);
    }
    return byAuthor;
  }
}

/** Names alone prove nothing. */
function isSame(a: NoteVerifier, b: NoteVerifier): boolean {
  return a.name === b.name && equalBytes(a.key.bytes, b.key.bytes);
}
