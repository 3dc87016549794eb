import { toBase64 } from '../base/bytes.ts';
import { type LogHead } from './consensus-head.ts';
import { DirectoryError } from './directory-error.ts';
import { BASE64_OF_32, bytesOf, NUMBER, parseNumber } from './fields.ts';

const CHECKPOINT = new RegExp(`^([!-*,-~]{1,255})\n(${NUMBER})\n(${BASE64_OF_32})\n$`);

/** The head of a log as a text to sign (C2SP tlog-checkpoint). */
export function renderCheckpoint({ origin, size, root }: LogHead): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** @throws DirectoryError `malformed` unless `renderCheckpoint` writes just this text. */
export function parseCheckpoint(text: string): LogHead {
  const [, origin, size, root] = CHECKPOINT.exec(text) ?? [];
  if (origin === undefined || size === undefined || root === undefined) {
    throw new DirectoryError('malformed', 'not a checkpoint');
  }
  return { origin, size: parseNumber(size), root: bytesOf(root) };
}
