import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode, namesIfPresent } from './file-tree.ts';

/** Permissions of those who are not the owner. */
const OTHERS = 0o077;

/** The files and directories at and below a path that others than their owner have a right to. */
export async function looseFiles(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  // The rights of a link are those of what it leads to.
  if (found === undefined || found.isSymbolicLink()) return [];
  const own = (found.mode & OTHERS) === 0 ? [] : [path];
  if (!found.isDirectory()) return own;
  const names = await namesIfPresent(path);
  return [...own, ...(await Promise.all(names.map((name) => looseFiles(join(path, name))))).flat()];
}
