import { type Consensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { NUMBER, parseNumber } from './fields.ts';
import { MAX_CHECKPOINT_BYTES } from './gathered-cosignatures.ts';
import { decodeNote, formatVerifierKey, type NoteVerifier, parseVerifierKey } from './note.ts';
import { witnessesOf } from './witnesses.ts';

/**
 * Who must have seen the consensus that a client goes by before it takes the next: those whom the
 * consensus before it names, so that a consensus which only this client was given does not vouch for itself.
 */
export interface WitnessRecord {
  /** How many of a hundred; from 0, for none, to 100. */
  readonly percent: number;
  readonly witnesses: readonly NoteVerifier[];
}

const HEADER = 'sotto-witnesses/1';
const PERCENT = new RegExp(`^percent (${NUMBER})$`);
const WITNESS = 'witness ';
const PARAM = 'cosigned-percent';

export function witnessRecordOf(
  consensus: Pick<Consensus, 'nodes' | 'params' | 'hash'>,
): WitnessRecord {
  const percent = Math.min(consensus.params.get(PARAM) ?? 0, 100);
  return { percent, witnesses: witnessesOf(consensus) };
}

/** As a client keeps it. */
export function renderWitnessRecord({ percent, witnesses }: WitnessRecord): string {
  const keys = witnesses.map((witness) => `${WITNESS}${formatVerifierKey(witness)}`);
  return [HEADER, `percent ${percent}`, ...keys].map((line) => `${line}\n`).join('');
}

/** @throws DirectoryError `too-large`, `malformed`, `weak-key`. */
export function parseWitnessRecord(bytes: Uint8Array): WitnessRecord {
  const [header, percent, ...lines] = decodeNote(bytes, MAX_CHECKPOINT_BYTES).split('\n');
  const [, number] = PERCENT.exec(percent ?? '') ?? [];
  const isWhole = lines.pop() === '' && lines.every((line) => line.startsWith(WITNESS));
  if (header !== HEADER || number === undefined || !isWhole) {
    throw new DirectoryError('malformed', 'not a record of witnesses');
  }
  const witnesses = lines.map((line) => parseVerifierKey(line.slice(WITNESS.length)));
  return { percent: parseNumber(number, 100), witnesses };
}
