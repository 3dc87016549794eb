import { toHex } from '../base/bytes.ts';
import { type Consensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { HASH } from './fields.ts';
import { MAX_CONSENSUS_BYTES } from './limits.ts';
import { decodeNote, textOfNote } from './note.ts';

const HEADER = 'sotto-consensus-change/1';
const NODE = 'node ';
const GONE = 'gone ';
/** A field that is as before. */
const SAME = '=';
/** A key configuration that was the next one before. */
const WAS_NEXT = '>';
/** Where a node line has its id, and its key configurations. */
const ID = 1;
const CURRENT_CONFIG = 7;
const NEXT_CONFIG = 8;

/**
 * What somebody who has one consensus needs to write the note of another: a node that did not change
 * costs nothing, one that did costs its id and the fields that changed (spec/directory.md section 14).
 */
export function renderChange(from: Pick<Consensus, 'text' | 'hash'>, to: string): string {
  const before = nodeLines(from.text);
  const [text, signatures] = partsOf(to);
  const after = nodeLines(text);
  const gone = [...before.keys()].filter((id) => !after.has(id)).map((id) => `${GONE}${id}`);
  const changed = [...after]
    .filter(([id, line]) => before.get(id) !== line)
    .map(([id, line]) => changedFields(before.get(id), line));
  const rest = text.split('\n').filter((line) => !line.startsWith(NODE));
  const lines = [HEADER, `from ${toHex(from.hash)}`, ...gone, ...changed, ...rest];
  return `${lines.join('\n')}${signatures}`;
}

/**
 * The note that the change leads to, which is to be verified like any other.
 * @throws DirectoryError `too-large`, `malformed`; `wrong-digest` when it is a change of another
 * consensus.
 */
export function applyChange(
  from: Pick<Consensus, 'text' | 'hash'>,
  change: Uint8Array | string,
): string {
  const [text, signatures] = partsOf(decodeNote(change, MAX_CONSENSUS_BYTES));
  const [header, start, ...lines] = text.split('\n');
  const [, hash] = new RegExp(`^from (${HASH})$`).exec(start ?? '') ?? [];
  if (header !== HEADER || hash === undefined) throw malformed();
  if (hash !== toHex(from.hash)) {
    throw new DirectoryError('wrong-digest', 'a change of a consensus that is not held');
  }
  const nodes = nodeLines(from.text);
  const rest: string[] = [];
  for (const line of lines) {
    if (line.startsWith(GONE)) nodes.delete(line.slice(GONE.length));
    else if (line.startsWith(NODE)) replace(nodes, line);
    else rest.push(line);
  }
  const sorted = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
  // The line log, if there is one, comes after the nodes, and so does the end of the text.
  const tail = rest.findIndex((line) => line.startsWith('log ') || line === '');
  if (tail < 0) throw malformed();
  rest.splice(tail, 0, ...sorted);
  return `${rest.join('\n')}${signatures}`;
}

function replace(nodes: Map<string, string>, line: string): void {
  const fields = line.split(' ');
  const id = fields[ID] ?? '';
  const before = nodes.get(id)?.split(' ') ?? [];
  const whole = fields.map((field, index) => {
    if (field === SAME) return before[index] ?? '';
    if (field === WAS_NEXT && index === CURRENT_CONFIG) return before[NEXT_CONFIG] ?? '';
    return field;
  });
  nodes.set(id, whole.join(' '));
}

function changedFields(before: string | undefined, line: string): string {
  if (before === undefined) return line;
  const old = before.split(' ');
  const fields = line.split(' ').map((field, index) => {
    if (index <= ID || field !== old[index]) {
      return index === CURRENT_CONFIG && field === old[NEXT_CONFIG] ? WAS_NEXT : field;
    }
    return SAME;
  });
  return fields.join(' ');
}

/** By the node's id. */
function nodeLines(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.startsWith(NODE));
  return new Map(lines.map((line) => [line.split(' ', ID + 1)[ID] ?? '', line]));
}

/** The text, and what follows it: an empty line and the signatures. */
function partsOf(note: string): readonly [text: string, signatures: string] {
  const text = textOfNote(note);
  return [text, note.slice(text.length)];
}

function malformed(): DirectoryError {
  return new DirectoryError('malformed', 'not a change of a consensus');
}
