import { fromHex, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { type Equivocation } from './equivocation.ts';
import { HASH, NUMBER, parseNumber } from './fields.ts';
import { MAX_SIGNATURES } from './limits.ts';
import { decodeNote } from './note.ts';

/** Two notes of one epoch, the one with the lesser digest first. */
export type EvidenceEntry = Pick<Equivocation, 'kind' | 'epoch' | 'digests'>;

const HEADER = 'sotto-evidence-index/1';
const LINE = new RegExp(`^(votes|consensuses) (${NUMBER}) (${HASH}) (${HASH})$`);
/** One for each authority, and of these no more than can sign a note. */
const MAX_ENTRIES = MAX_SIGNATURES;
const MAX_EVIDENCE_INDEX_BYTES = 16_384;

/** What evidence there is, for others to fetch what they lack (spec/directory.md section 15). */
export function renderEvidenceIndex(entries: readonly EvidenceEntry[]): string {
  const lines = entries.slice(0, MAX_ENTRIES).map(lineOf);
  return [HEADER, ...lines].map((line) => `${line}\n`).join('');
}

/** @throws DirectoryError `too-large`, `malformed`. */
export function parseEvidenceIndex(bytes: Uint8Array): readonly EvidenceEntry[] {
  const text = decodeNote(bytes, MAX_EVIDENCE_INDEX_BYTES);
  const [, ...lines] = text.split('\n').slice(0, -1);
  const entries = lines.map(entryOf);
  if (renderEvidenceIndex(entries) !== text) throw malformed();
  return entries;
}

function lineOf({ kind, epoch, digests }: EvidenceEntry): string {
  const [first, second] = digests.map(toHex).sort();
  return `${kind} ${epoch} ${first} ${second}`;
}

function entryOf(line: string): EvidenceEntry {
  const [, kind, epoch, first, second] = LINE.exec(line) ?? [];
  if (kind === undefined || epoch === undefined || first === undefined || second === undefined) {
    throw malformed();
  }
  return {
    kind: kind === 'votes' ? 'votes' : 'consensuses',
    epoch: parseNumber(epoch),
    digests: [fromHex(first), fromHex(second)],
  };
}

function malformed(): DirectoryError {
  return new DirectoryError('malformed', 'not an index of evidence');
}
