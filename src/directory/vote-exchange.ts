import { toHex } from '../base/bytes.ts';
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
  verifierKeyOf,
} from './note.ts';
import { type Policy } from './policy.ts';
import { checkInSlot, type Slot } from './timeline.ts';
import { parseVote, type Vote } from './vote.ts';
import { MAX_VOTES_OF_AUTHOR, type VoteIndexEntry } from './vote-index.ts';

/** A vote that was accepted, and countersigned. */
export interface HeldVote {
  readonly vote: Vote;
  /** With the signatures of authorities only. */
  readonly note: string;
  /** How many they are; the author's is among them. */
  readonly signatures: number;
}

/** A vote of somebody in the policy, for the slot, that nobody has accepted yet. */
export interface ReadVote extends HeldVote {
  readonly signedByUs: boolean;
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
  /** The verifier key of this authority. */
  readonly ourselves: string;
  readonly #network: string;
  /** By their verifier keys. */
  readonly #authorities: ReadonlyMap<string, NoteVerifier>;
  readonly #signer: NoteSigner;
  readonly #held = new Map<string, HeldVote>();

  constructor({ policy, slot, signer }: VoteExchangeOptions) {
    this.slot = slot;
    this.#network = policy.network;
    this.#authorities = new Map(
      policy.authorities.map(({ verifier }) => [formatVerifierKey(verifier), verifier]),
    );
    this.#signer = signer;
    this.ourselves = verifierKeyOf(signer);
  }

  /**
   * The vote as it is, at whatever time.
   * @throws DirectoryError `too-large`, `malformed`, `duplicate-node`, `wrong-network`,
   * `wrong-slot`, `unknown-authority`, `bad-signature`, `duplicate-signature`, `too-few-signatures`.
   */
  read(bytes: Uint8Array | string): ReadVote {
    const source = decodeNote(bytes, MAX_VOTE_NOTE_BYTES);
    const verifiers = [...this.#authorities.values()];
    const { text, signers } = openNote(source, verifiers);
    const vote = parseVote(text);
    checkInSlot(vote, this.#network, this.slot);
    const author = this.#authorities.get(vote.author);
    if (author === undefined) {
      throw new DirectoryError('unknown-authority', 'a vote of nobody in the policy');
    }
    if (!signers.includes(author)) {
      throw new DirectoryError('too-few-signatures', 'its author did not sign the vote');
    }
    return {
      vote,
      // Lines of strangers could make the note too large for those that it is shown to.
      note: keepSignaturesOf(source, verifiers),
      signatures: signers.length,
      signedByUs: signers.some((signer) => formatVerifierKey(signer) === this.ourselves),
    };
  }

  /**
   * The vote with our signature, for `hold` once it is on disk: what is not held yet is not shown.
   * @param now milliseconds since the Unix epoch, when the whole note was there.
   * @throws DirectoryError `late` with fewer signatures than the time asks for, `equivocated` when two
   * votes of its author are held already.
   */
  accept(read: ReadVote, now: number): HeldVote {
    if (read.signatures < this.#signaturesNeeded(now)) {
      throw new DirectoryError('late', `${read.signatures} signatures are too few by now`);
    }
    if (this.#votesOf(read.vote.author).length >= MAX_VOTES_OF_AUTHOR) {
      throw new DirectoryError('equivocated', 'two votes of its author are held already');
    }
    return read.signedByUs ? read : this.#countersign(read);
  }

  /** From now on the vote is shown and counts. */
  hold(held: HeldVote): void {
    this.#held.set(toHex(held.vote.digest), held);
  }

  /** Whether a vote that another authority shows would be accepted now, if it is what it is said to be. */
  wants({ digest, signatures, author }: VoteIndexEntry, now: number): boolean {
    return (
      this.#authorities.has(author) &&
      !this.#held.has(toHex(digest)) &&
      signatures >= this.#signaturesNeeded(now) &&
      this.#votesOf(author).length < MAX_VOTES_OF_AUTHOR
    );
  }

  index(): readonly VoteIndexEntry[] {
    return [...this.#held.values()].map(({ vote, signatures }) => ({
      digest: vote.digest,
      signatures,
      author: vote.author,
    }));
  }

  /** The note of a vote that is held. `digest`: SHA-256 of its text. */
  noteOf(digest: Uint8Array): string | undefined {
    return this.#held.get(toHex(digest))?.note;
  }

  hasOwnVote(): boolean {
    return this.#votesOf(this.ourselves).length > 0;
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
      const { author } = held.vote;
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), held]);
    }
    return byAuthor;
  }
}
