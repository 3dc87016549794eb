import { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';
import { messageOf, UserError } from '../../base/errors.ts';

/** What an archive may come to. A server's keys and devices take a few thousand bytes. */
export interface TarLimits {
  readonly files: number;
  readonly fileBytes: number;
}

const FILE_MODE = 0o600;

/** A tar (POSIX ustar) of regular files. Nothing in it says when or by whom it was made. */
export async function packTar(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, bytes] of files) {
    tar.entry({ name, mode: FILE_MODE, mtime: new Date(0) }, Buffer.from(bytes));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Reads a tar of regular files with names that are all different.
 * @throws UserError for anything else: links, directories, devices, too much, or no tar at all.
 */
export async function unpackTar(
  bytes: Uint8Array,
  limits: TarLimits,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const tar = extract();
  Readable.from([Buffer.from(bytes)]).pipe(tar);
  try {
    for await (const entry of tar) {
      const { name, type, size } = entry.header;
      if (type !== 'file') throw damaged(`${quoted(name)} is no file but a ${type}`);
      if (files.has(name)) throw damaged(`${quoted(name)} is there twice`);
      if (files.size === limits.files) throw damaged(`it has over ${limits.files} files`);
      if (size > limits.fileBytes) throw damaged(`${quoted(name)} is too large`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      files.set(name, new Uint8Array(Buffer.concat(chunks)));
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(messageOf(error));
  }
  return files;
}

export function damaged(what: string): UserError {
  return new UserError(`the backup is damaged or not made by Sotto: ${what}`);
}

/** A name out of an archive may hold anything, also what a terminal would obey. */
export function quoted(name: string): string {
  const MOST = 100;
  return JSON.stringify(name.slice(0, MOST).replaceAll(/[^ -~]/g, '?'));
}
