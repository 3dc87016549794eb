import { equalBytes, toHex, utf8 } from '../base/bytes.ts';
import { DIRECTORY_KINDS, type DirectoryKind, epochDigest } from '../directory/directory-view.ts';
import { digestOfText, signNote, type NoteSigner } from '../directory/note.ts';
import { signDetached } from '../directory/detached-signature.ts';
import { type VoteExchange } from '../directory/vote-exchange.ts';
import { renderVoteIndex } from '../directory/vote-index.ts';

/** A text that this authority signed, and put on record before. */
interface Signed {
  readonly epoch: number;
  readonly hash: Uint8Array;
  readonly note: Uint8Array;
  readonly detached: Uint8Array;
}

/**
 * What an authority shows its peers of the slot it is in. It shows nothing that is not on disk, so
 * that after a crash it does not say anything else.
 */
export class ShownDocuments {
  #exchange: VoteExchange | undefined;
  #signed: Signed | undefined;
  /** The bytes of votes that were asked for, by their digests: all links that wait share them. */
  readonly #votes = new Map<string, { readonly note: string; readonly bytes: Uint8Array }>();

  showVotes(exchange: VoteExchange): void {
    this.#exchange = exchange;
    this.#votes.clear();
  }

  showSignature(epoch: number, text: string, signer: NoteSigner): void {
    this.#signed = {
      epoch,
      hash: digestOfText(text),
      note: utf8(signNote(text, signer)),
      detached: utf8(signDetached(text, signer)),
    };
  }

  /** From now on nobody can complete a quorum with it: those that have one show the consensus. */
  hideSignature(): void {
    this.#signed = undefined;
  }

  /** Votes, their index, and our signature with its text; undefined for everything else. */
  noteOf(kind: DirectoryKind, digest: Uint8Array): Uint8Array | undefined {
    switch (kind) {
      case DIRECTORY_KINDS.voteIndex:
        return this.#voteIndex(digest);
      case DIRECTORY_KINDS.vote:
        return this.#vote(digest);
      case DIRECTORY_KINDS.signature:
        return this.#ofEpoch(digest)?.detached;
      case DIRECTORY_KINDS.consensus:
        return this.#signed && equalBytes(this.#signed.hash, digest)
          ? this.#signed.note
          : undefined;
      default:
        return undefined;
    }
  }

  #vote(digest: Uint8Array): Uint8Array | undefined {
    const note = this.#exchange?.noteOf(digest);
    if (note === undefined) return undefined;
    const key = toHex(digest);
    const held = this.#votes.get(key);
    if (held?.note === note) return held.bytes;
    const bytes = utf8(note);
    this.#votes.set(key, { note, bytes });
    return bytes;
  }

  #voteIndex(digest: Uint8Array): Uint8Array | undefined {
    const exchange = this.#exchange;
    if (exchange === undefined || !equalBytes(epochDigest(exchange.slot.epoch), digest)) {
      return undefined;
    }
    return utf8(renderVoteIndex(exchange.index()));
  }

  #ofEpoch(digest: Uint8Array): Signed | undefined {
    const signed = this.#signed;
    return signed && equalBytes(epochDigest(signed.epoch), digest) ? signed : undefined;
  }
}
