import { open, readFile, stat } from 'node:fs/promises';
import type { Owner } from './ownership.ts';

const OWNER_SHIFT = 6;
const GROUP_SHIFT = 3;
const READ_WRITE = 0o6;
const ROOT = 0;

/** Whether a user may read and write a file, or list a directory and write into it; by its mode alone. */
export async function mayWrite(path: string, { uid, gid }: Owner): Promise<boolean> {
  if (uid === ROOT) return true;
  const { mode, uid: owner, gid: group } = await stat(path);
  const shift = uid === owner ? OWNER_SHIFT : gid === group ? GROUP_SHIFT : 0;
  return ((mode >> shift) & READ_WRITE) === READ_WRITE;
}

/**
 * Whether a process holds a lock on a file (proc(5), /proc/locks: `... major:minor:inode ...`).
 * Nothing is locked to find out.
 */
export async function isLocked(path: string): Promise<boolean> {
  const { ino } = await stat(path);
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '');
  return locks
    .split('\n')
    .some((line) => line.split(/\s+/).some((field) => field.endsWith(`:${ino}`)));
}

/** The first bytes of a file, fewer where it has no more. */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}
