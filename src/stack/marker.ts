import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { fromUtf8, toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { createSecretFile, readIfPresent, writeDurably } from '../io/durable-file.ts';
import { isCode, makeNewDirectory, namesIfPresent } from '../io/file-tree.ts';

/**
 * The file that says a directory was made by Sotto, so that `sotto destroy` may remove it. A home that
 * has it has had keys.
 */
export const MARKER_FILE = '.sotto-server';

/** Which server a directory belongs to. It stays the same in a backup and on another machine. */
export interface Marker {
  /** 32 lower-case hexadecimal characters. */
  readonly id: string;
}

const markerSchema = z.object({
  format: z.literal('sotto-server'),
  id: z.string().regex(/^[0-9a-f]{32}$/),
});

export function newMarker(): Marker {
  return { id: toHex(randomBytes(16)) };
}

export function renderMarker({ id }: Marker): string {
  return `${JSON.stringify({ format: 'sotto-server', id })}\n`;
}

/** @throws UserError when the bytes are no marker. */
export function parseMarker(bytes: Uint8Array): Marker {
  try {
    return { id: markerSchema.parse(JSON.parse(fromUtf8(bytes))).id };
  } catch (cause) {
    throw new UserError(`the file ${MARKER_FILE} is damaged`, { cause });
  }
}

/** Undefined when the directory has none. */
export async function readMarker(directory: string): Promise<Marker | undefined> {
  const bytes = await readIfPresent(join(directory, MARKER_FILE));
  return bytes && parseMarker(bytes);
}

/** Marks a home whose configuration was written by hand, after its keys were made. */
export async function ensureMarker(home: string): Promise<void> {
  if ((await readMarker(home)) !== undefined) return;
  await createSecretFile(join(home, MARKER_FILE), renderMarker(newMarker()));
}

/**
 * Makes a directory outside the home and marks it as this server's. One that is there already
 * belongs to whoever made it, and is left as it is. Its parent must be there.
 * @returns whether it is this server's.
 */
export async function claimDirectory(directory: string, marker: Marker): Promise<boolean> {
  try {
    await makeNewDirectory(directory);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    // What an interrupted init made is as good as new.
    const names = await namesIfPresent(directory);
    if (names.length !== 1 || names[0] !== MARKER_FILE) return false;
  }
  await writeDurably(join(directory, MARKER_FILE), renderMarker(marker));
  return true;
}
