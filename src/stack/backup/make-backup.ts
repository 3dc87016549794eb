import { join } from 'node:path';
import { messageOf, UserError } from '../../base/errors.ts';
import { readIfPresent, removeIfPresent, writeDurably } from '../../io/durable-file.ts';
import { kindOf, namesIfPresent, readAtMost } from '../../io/file-tree.ts';
import { homeAt } from '../home.ts';
import { ensureMarker } from '../marker.ts';
import { openSecrets } from '../secrets.ts';
import { ARCHIVE_LIMITS, packArchive, readArchive, type ServerBackup } from './archive.ts';
import { DIRECTORIES, isKept, REQUIRED } from './backup-paths.ts';
import { seal, type SealOptions, unseal } from './sealed-file.ts';

/** Far above what the archive's own limits let through in practice: 2,000 devices take 3 MB. */
const MAX_BACKUP_BYTES = 16 << 20;

export interface BackupOptions extends SealOptions {
  /** Absolute path of the home. */
  readonly home: string;
  /** Where the backup goes. */
  readonly file: string;
  readonly now: Date;
}

/**
 * Encrypts what makes this server the same server again into one file, mode 0600, which appears
 * whole or not at all, and reads it back as a restore would.
 * @returns what a restore would bring back.
 * @throws UserError when there is no server, it has no keys, or the file is there already.
 */
export async function makeBackup(options: BackupOptions): Promise<ServerBackup> {
  const { home, file, now } = options;
  if ((await kindOf(file)) !== undefined) {
    throw new UserError(`${file} is there already`, { hint: 'Name another file, or remove it.' });
  }
  const files = await collect(home);
  const sealed = await seal(await packArchive(files, now), options);
  await writeDurably(file, sealed);
  try {
    return await openBackup(file, options.passphrase);
  } catch (cause) {
    await removeIfPresent(file);
    throw new UserError(`${file} could not be read back: ${messageOf(cause)}`, {
      hint: 'Write it to another disk.',
      cause,
    });
  }
}

/**
 * Reads and verifies a backup, into memory.
 * @throws UserError when it is none, damaged, of a later version, or the passphrase is wrong.
 */
export async function openBackup(file: string, passphrase: string): Promise<ServerBackup> {
  const kind = await kindOf(file);
  if (kind === undefined) throw new UserError(`there is no file ${file}`);
  const sealed = await readAtMost(file, MAX_BACKUP_BYTES);
  if (sealed === undefined) {
    throw new UserError(`${file} is too large for a backup of Sotto`);
  }
  return readArchive(await unseal(sealed, passphrase));
}

async function collect(home: string): Promise<Map<string, Uint8Array>> {
  if ((await kindOf(join(home, REQUIRED.config))) === undefined) {
    throw new UserError(`there is no personal server in ${home}`, {
      hint: 'Name its directory with --home.',
    });
  }
  await openSecrets(homeAt(home));
  // Only now: the marker says that there have been keys.
  await ensureMarker(home);
  const paths: string[] = Object.values(REQUIRED);
  for (const directory of DIRECTORIES) {
    const names = await namesIfPresent(join(home, directory));
    paths.push(...names.filter(isKept).map((name) => `${directory}/${name}`));
  }
  const files = new Map<string, Uint8Array>();
  for (const path of new Set(paths)) {
    const bytes = await readIfPresent(join(home, path));
    if (bytes === undefined) throw new UserError(`${join(home, path)} is missing`);
    if (bytes.length > ARCHIVE_LIMITS.fileBytes) {
      throw new UserError(`${join(home, path)} is too large to be a file of a server`);
    }
    files.set(path, bytes);
  }
  return files;
}
