import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface TreeFile {
  readonly bytes: Uint8Array;
  readonly isExecutable: boolean;
}

const OWNER_MAY_EXECUTE = 0o100;

/**
 * Every regular file below a directory, by its path relative to it with slashes, in the order of the
 * paths' characters. Links are left out.
 * @param skip names of files and directories to pass over, wherever they are.
 */
export async function filesBelow(
  directory: string,
  skip: readonly string[] = [],
): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map<string, TreeFile>();
  for (const path of (await pathsBelow(directory, skip)).sort()) {
    const full = join(directory, path);
    const { mode } = await stat(full);
    files.set(path, {
      bytes: await readFile(full),
      isExecutable: (mode & OWNER_MAY_EXECUTE) !== 0,
    });
  }
  return files;
}

async function pathsBelow(directory: string, skip: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (skip.includes(entry.name)) continue;
    if (entry.isFile()) found.push(entry.name);
    if (!entry.isDirectory()) continue;
    const inner = await pathsBelow(join(directory, entry.name), skip);
    found.push(...inner.map((path) => `${entry.name}/${path}`));
  }
  return found;
}
