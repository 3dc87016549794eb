import { link, lstat, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createSecretFile } from './durable-file.ts';

/** What is at a path itself, a symbolic link not followed. */
export type PathKind = 'file' | 'directory' | 'link' | 'other';

/** Undefined when there is nothing. */
export async function kindOf(path: string): Promise<PathKind | undefined> {
  try {
    const found = await lstat(path);
    if (found.isFile()) return 'file';
    if (found.isDirectory()) return 'directory';
    return found.isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Names in a directory, sorted; none when there is no such directory. */
export async function namesIfPresent(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The file's bytes; undefined when it has more than `maxBytes`. @throws ENOENT and its like. */
export async function readAtMost(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  await using file = await open(path, 'r');
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length);
    if (bytesRead === 0) return new Uint8Array(bytes.subarray(0, length));
    length += bytesRead;
  }
  return undefined;
}

/** Makes a new directory for its owner alone. @throws EEXIST when there is anything. */
export async function makeNewDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
}

/**
 * Writes files of mode 0600 into a directory, and the directories of mode 0700 they need. When this
 * resolves, all of it survives a power cut.
 * @param files by path relative to the directory, with slashes.
 * @throws EEXIST when one of them is there.
 */
export async function writeTree(
  directory: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, bytes] of files) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      await makeIfMissing(directory, parts.slice(0, depth));
    }
    await createSecretFile(join(directory, path), bytes);
  }
}

/** Renames; when this resolves, the new name survives a power cut. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  for (const directory of new Set([dirname(from), dirname(to)])) await syncDirectory(directory);
}

/** Gives a file a second name; when this resolves, it survives a power cut. @throws EEXIST */
export async function linkDurably(from: string, to: string): Promise<void> {
  await link(from, to);
  await syncDirectory(dirname(to));
}

/** Removes a directory with all it holds, links not followed. Nothing happens when there is none. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Removes a directory unless it holds anything. */
export async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT')) throw error;
  }
}

/** The nearest directory that exists: the path itself, or one above it. */
export async function nearestDirectory(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path;
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  return nearestDirectory(dirname(path));
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

async function makeIfMissing(base: string, parts: readonly string[]): Promise<void> {
  const path = join(base, ...parts);
  try {
    await makeNewDirectory(path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    return;
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
