import { basename, dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { makePrivateDirectory } from '../io/durable-file.ts';
import {
  isCode,
  kindOf,
  makeNewDirectory,
  namesIfPresent,
  removeTree,
  renameDurably,
  writeTree,
} from '../io/file-tree.ts';
import { MARKER_FILE } from './marker.ts';

/** What is at the place of a home. */
export type Vacancy = 'absent' | 'empty' | 'server' | 'foreign';

export async function vacancyOf(directory: string): Promise<Vacancy> {
  const kind = await kindOf(directory);
  if (kind === undefined) return 'absent';
  if (kind !== 'directory') return 'foreign';
  const names = await namesIfPresent(directory);
  if (names.length === 0) return 'empty';
  return names.includes(MARKER_FILE) || names.includes('sotto.yaml') ? 'server' : 'foreign';
}

/** Where a home is built before it is put in its place: beside it, so that a rename is enough. */
export function stagingOf(home: string): string {
  return join(dirname(home), `.${basename(home)}.new`);
}

/**
 * Writes a whole home beside its place, after removing what an interrupted attempt left there.
 * @param files by path relative to the home; the marker among them.
 */
export async function stageHome(
  home: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<string> {
  const staging = stagingOf(home);
  await makePrivateDirectory(dirname(home));
  await clearStaging(staging);
  await makeNewDirectory(staging);
  // The marker is first: whatever else is in there was written by us.
  const marker = files.get(MARKER_FILE);
  if (marker === undefined) throw new Error('a home without its marker');
  await writeTree(staging, new Map([[MARKER_FILE, marker], ...files]));
  return staging;
}

/** Puts a staged home into its place, which is absent or empty, in one step. */
export async function putInPlace(staging: string, home: string): Promise<void> {
  try {
    await renameDurably(staging, home);
  } catch (error) {
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) {
      throw new UserError(`${home} is not empty any more`, { cause: error });
    }
    if (isCode(error, 'EBUSY', 'EXDEV')) {
      throw new UserError(
        `${home} is a disk of its own, which nothing can be put in the place of`,
        {
          hint: `Name a directory on it: --home ${join(home, 'server')}`,
          cause: error,
        },
      );
    }
    throw error;
  }
}

/** What a server works days for, below its home. It holds no secrets. */
export const CHAIN_DATA = ['data/bitcoind', 'data/target', 'initial-sync-done'] as const;

async function clearStaging(staging: string): Promise<void> {
  for (const path of CHAIN_DATA) {
    if ((await kindOf(join(staging, path))) === undefined) continue;
    throw new UserError(`a restore was interrupted, and ${staging} holds a chain`, {
      hint: 'Run the same `sotto restore` again: it ends what was begun.',
    });
  }
  const vacancy = await vacancyOf(staging);
  if (vacancy === 'foreign') {
    throw new UserError(`${staging} is in the way, and not of Sotto's making`, {
      hint: 'Move it away.',
    });
  }
  await removeTree(staging);
}
