import { toHex, utf8 } from '../src/base/bytes.ts';
import type { Consensus } from '../src/directory/consensus.ts';
import { DIRECTORY_KINDS } from '../src/directory/directory-view.ts';
import { signNote, textOfNote, verifierKeyOf } from '../src/directory/note.ts';
import type { Slot } from '../src/directory/timeline.ts';
import { parseVote, renderVote, type VoteContent } from '../src/directory/vote.ts';
import { renderVoteIndex } from '../src/directory/vote-index.ts';
import type { Answer, SimulatedAuthority } from './simulated-authorities.ts';
import type { TestAuthority } from './test-directory.ts';

export interface ForgedVote {
  readonly slot: Slot;
  readonly previous?: Consensus | undefined;
  readonly changes?: Partial<VoteContent>;
  /** Besides its author. */
  readonly cosigners?: readonly TestAuthority[];
}

/** A vote of an authority that says what it likes, as a note. */
export function forgeVote(
  author: SimulatedAuthority,
  { slot, previous, changes, cosigners = [] }: ForgedVote,
): string {
  const { epoch, validAfter, freshUntil, validUntil } = slot;
  const text = renderVote({
    author: verifierKeyOf(author.key),
    network: 'regtest',
    prev: previous?.hash ?? new Uint8Array(32),
    ...{ epoch, validAfter, freshUntil, validUntil },
    ...author.usualBallot(slot, previous),
    ...changes,
  });
  return signNote(text, author.key, ...cosigners);
}

/** Answers with the votes that it shows whoever asks, and with nothing else. */
export function showingVotes(votesFor: (asker: string) => readonly string[]): Answer {
  return (kind, digest, asker) => {
    const votes = votesFor(asker).map((note) => ({ note, vote: parseVote(textOfNote(note)) }));
    if (kind === DIRECTORY_KINDS.voteIndex) {
      const entries = votes.map(({ note, vote }) => ({
        digest: vote.digest,
        signatures: note.match(/^— /gm)?.length ?? 0,
        author: vote.author,
      }));
      return utf8(renderVoteIndex(entries));
    }
    const asked = votes.find(({ vote }) => toHex(vote.digest) === toHex(digest));
    return kind === DIRECTORY_KINDS.vote && asked ? utf8(asked.note) : new Uint8Array();
  };
}
