import process from 'node:process';
import { messageOf, UserError } from '../base/errors.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { ChildExitError } from '../io/child-process.ts';
import { DialError } from '../io/dial.ts';
import { WaitTimeoutError } from '../io/wait-until.ts';
import { LookupError } from '../lookup/fault.ts';
import { InterruptedError } from './interrupt.ts';

// What was asked for goes to stdout; progress, warnings and errors go to stderr. `--json` prints one
// object and nothing else on stdout.

let printed = false;

export function print(text: string): void {
  printed = true;
  process.stdout.write(`${text}\n`);
}

/** Whether anything was said on stdout. */
export function hasPrinted(): boolean {
  return printed;
}

export function printJson(value: unknown): void {
  const plain = (_key: string, item: unknown): unknown =>
    typeof item === 'bigint' ? Number(item) : item;
  print(JSON.stringify(value, plain, 2));
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A table in columns: the first row is the head; columns of numbers are set to the right. */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `12 MB`, `1.5 GB`. */
export function formatMegabytes(megabytes: number): string {
  return megabytes < 1000 ? `${megabytes} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}

/** A reader that has seen enough, such as `head`, is no failure. */
export function tolerateClosedReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** What goes wrong outside the program; the words say all. */
const OUTSIDE = [LookupError, DirectoryError, DialError, WaitTimeoutError, ChildExitError];

/** What the machine refuses: no room, no permission, a file in the way or not of that kind, a port in use. */
const REFUSED_BY_MACHINE = new Set([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EDQUOT',
  'EEXIST',
  'EISDIR',
  'EMFILE',
  'ENFILE',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
]);

/** What a person is told of an error. Only a bug shows where in the code it was. */
export function describeError(error: unknown): string {
  if (error instanceof InterruptedError) return 'interrupted';
  if (error instanceof UserError) {
    return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  }
  if (OUTSIDE.some((kind) => error instanceof kind) || isRefusedByMachine(error)) {
    return messageOf(error);
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  return `this is a bug in sotto, please report it:\n${trace}`;
}

function isRefusedByMachine(error: unknown): boolean {
  return error instanceof Error && 'code' in error && REFUSED_BY_MACHINE.has(String(error.code));
}
