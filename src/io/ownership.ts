import { lchown, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { isCode, kindOf, namesIfPresent } from './file-tree.ts';

/** A user and a group of this machine, by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Gives a file or a directory to its owner; links are not followed. Only root can give away, so that
 * for everyone else, whose files are their own anyway, nothing happens.
 */
export async function give(path: string, { uid, gid }: Owner): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    const held = await lstat(path);
    if (held.uid !== uid || held.gid !== gid) await lchown(path, uid, gid);
  } catch (error) {
    // A program that runs makes and removes files meanwhile.
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** `give` for a directory with all that is below it. */
export async function giveTree(path: string, owner: Owner): Promise<void> {
  await give(path, owner);
  if ((await kindOf(path)) !== 'directory') return;
  for (const name of await namesIfPresent(path)) await giveTree(join(path, name), owner);
}

/** Undefined when there is nothing at the path. */
export async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    const { uid, gid } = await lstat(path);
    return { uid, gid };
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
