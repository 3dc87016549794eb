import { stat, statfs } from 'node:fs/promises';
import { nearestDirectory } from './file-tree.ts';

/** The file system that holds a path, or would hold it. */
export interface Disk {
  /** The same for paths on the same one. */
  readonly device: number;
  /** For this user. */
  readonly freeBytes: number;
  /** How many more files it can hold; undefined where it has no such limit. */
  readonly freeFiles: number | undefined;
}

export async function diskOf(path: string): Promise<Disk> {
  const directory = await nearestDirectory(path);
  const { bavail, bsize, files, ffree } = await statfs(directory);
  return {
    device: (await stat(directory)).dev,
    freeBytes: bavail * bsize,
    freeFiles: files === 0 ? undefined : ffree,
  };
}
