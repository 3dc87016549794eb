import { statfs } from 'node:fs/promises';

const MEGABYTE = 1_000_000;

/** The room on the disk that holds a directory, for this user: millions of bytes. */
export async function freeMegabytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return Math.floor((bavail * bsize) / MEGABYTE);
}
