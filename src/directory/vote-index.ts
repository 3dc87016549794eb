import { fromHex, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { HASH, parseNumber } from './fields.ts';
import { MAX_SIGNATURES } from './limits.ts';
import { decodeNote } from './note.ts';

/** A vote that an authority holds and shows. */
export interface VoteIndexEntry {
  /** SHA-256 of the text of the vote. */
  readonly digest: Uint8Array;
  /** How many authorities have signed it, its author among them. */
  readonly signatures: number;
  /** The verifier key of its author. */
  readonly author: string;
}

const HEADER = 'sotto-votes/1';
const VOTE_LINE = new RegExp(`^vote (${HASH}) ([1-9][0-9]?) ([^ ]{1,320})$`);

/** Of each author nobody holds more than the two votes that show it to be lying. */
export const MAX_VOTES_OF_AUTHOR = 2;
const MAX_ENTRIES = MAX_SIGNATURES * MAX_VOTES_OF_AUTHOR;
const MAX_INDEX_BYTES = 131_072;

/** The list by which authorities find out what they lack (spec/directory.md section 9). */
export function renderVoteIndex(entries: readonly VoteIndexEntry[]): string {
  const lines = entries.map(
    ({ digest, signatures, author }) => `vote ${toHex(digest)} ${signatures} ${author}`,
  );
  return [HEADER, ...lines].map((line) => `${line}\n`).join('');
}

/** @throws DirectoryError `too-large`, `malformed`. */
export function parseVoteIndex(bytes: Uint8Array): readonly VoteIndexEntry[] {
  const [header, ...lines] = decodeNote(bytes, MAX_INDEX_BYTES).split('\n');
  if (header !== HEADER || lines.pop() !== '') {
    throw new DirectoryError('malformed', 'not an index of votes');
  }
  if (lines.length > MAX_ENTRIES) throw new DirectoryError('malformed', 'too many votes');
  return lines.map((line) => {
    const [, digest, signatures, author] = VOTE_LINE.exec(line) ?? [];
    if (digest === undefined || signatures === undefined || author === undefined) {
      throw new DirectoryError('malformed', 'not a line of an index of votes');
    }
    return { digest: fromHex(digest), signatures: parseNumber(signatures), author };
  });
}
