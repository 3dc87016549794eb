import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

export interface TemporaryDirectoryOptions {
  /** What its files may come to take. */
  readonly megabytes?: number;
}

const MEGABYTE = 1_000_000;

/**
 * Makes a directory that only its owner can enter. Disposing removes it with all it holds.
 * @throws UserError when there is no room for it.
 */
export async function makeTemporaryDirectory({
  megabytes = 0,
}: TemporaryDirectoryOptions = {}): Promise<TemporaryDirectory> {
  const parent = tmpdir();
  const { bavail, bsize } = await statfs(parent);
  const room = Math.floor((bavail * bsize) / MEGABYTE);
  if (room < megabytes) {
    throw new UserError(`${parent} has room for ${room} MB, and ${megabytes} MB are needed`, {
      hint: 'Make room there, or name another directory with TMPDIR.',
    });
  }
  const path = await mkdtemp(join(parent, 'sotto-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
