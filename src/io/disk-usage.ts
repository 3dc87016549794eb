import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from './file-tree.ts';

const BLOCK_BYTES = 512;
const BYTES_PER_MEGABYTE = 1_000_000;

/**
 * What a directory takes on the disk, links not followed: millions of bytes. What goes away meanwhile,
 * or is not for this user to see, counts for nothing.
 */
export async function usedMegabytes(directory: string): Promise<number> {
  return Math.ceil((await blocksOf(directory)) * (BLOCK_BYTES / BYTES_PER_MEGABYTE));
}

async function blocksOf(path: string): Promise<number> {
  try {
    const found = await lstat(path);
    if (!found.isDirectory()) return found.blocks;
    let blocks = found.blocks;
    for (const name of await readdir(path)) blocks += await blocksOf(join(path, name));
    return blocks;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return 0;
    throw error;
  }
}
