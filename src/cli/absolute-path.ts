import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** Reads an argument of the command line that names a file or directory. */
export function absolutePath(path: string): string {
  // An empty variable would otherwise mean the directory one happens to stand in.
  if (path === '') throw new InvalidArgumentError('It is empty.');
  return resolve(path);
}
