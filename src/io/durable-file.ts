import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Owner only: the default of everything written here. */
const FILE_MODE = 0o600;

/**
 * Replaces a file so that after a crash it holds either the old or the new bytes, never a part.
 * When this resolves, the new bytes survive a power cut.
 */
export async function writeDurably(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await writeSynced(temporary, data);
    await renameDurably(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Creates a file of secrets, mode 0600: whole, or after a crash not at all.
 * @throws an error with code EEXIST when there is one already: keys are never overwritten.
 */
export async function createSecretFile(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    await writeSynced(temporary, data);
    await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
}

/** The file's bytes, or undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Puts a file, whose bytes are on the disk, in the place of another one of the same directory. When
 * this resolves, that survives a power cut.
 */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

export async function removeIfPresent(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Makes a directory that only its owner can enter, and its parents. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Names of the files and directories in a directory. */
export async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory);
}

/**
 * Overwrites a file of secrets and removes it; nothing happens when there is none. A disk that
 * moves blocks may keep the old ones: whoever can read the raw disk needs disk encryption.
 */
export async function eraseFile(path: string): Promise<void> {
  const held = await readIfPresent(path);
  if (held === undefined) return;
  {
    await using file = await open(path, 'r+');
    await file.write(new Uint8Array(held.length), 0, held.length, 0);
    await file.sync();
  }
  held.fill(0);
  await rm(path);
  await syncDirectory(dirname(path));
}

function temporaryFor(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.tmp`;
}

async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  await using file = await open(path, 'wx', FILE_MODE);
  await file.writeFile(data);
  await file.sync();
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
