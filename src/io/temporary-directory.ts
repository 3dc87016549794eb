import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { freeMegabytes } from './free-space.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

export interface TemporaryDirectoryOptions {
  /** What its files may come to take. */
  readonly megabytes?: number;
}

/**
 * Makes a directory that only its owner can enter. Disposing removes it with all it holds.
 * @throws UserError when there is no room for it.
 */
export async function makeTemporaryDirectory({
  megabytes = 0,
}: TemporaryDirectoryOptions = {}): Promise<TemporaryDirectory> {
  const parent = tmpdir();
  const room = await freeMegabytes(parent);
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
