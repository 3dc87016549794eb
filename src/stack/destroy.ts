import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { StackConfig } from '../config/stack-config.ts';
import { eraseFile, removeIfPresent } from '../io/durable-file.ts';
import { usedMegabytes } from '../io/disk-usage.ts';
import { kindOf, namesIfPresent, removeIfEmpty, removeTree } from '../io/file-tree.ts';
import { DIRECTORIES, REQUIRED } from './backup/backup-paths.ts';
import { type Home, homeAt } from './home.ts';
import { type Marker, MARKER_FILE, readMarker } from './marker.ts';
import { dataDirectoryOf } from './plan-context.ts';
import { missingSeeds } from './secrets.ts';

export interface Doomed {
  readonly path: string;
  /** What it takes on the disk. */
  readonly megabytes: number;
}

export interface Kept {
  readonly path: string;
  /** In a few words. */
  readonly because: string;
}

/** What would go if a server were destroyed, and what would not. */
export interface Destruction {
  readonly home: string;
  readonly doomed: readonly Doomed[];
  readonly kept: readonly Kept[];
  /** Seeds that are not there: erased before, lost, or on a disk that is not mounted. */
  readonly absentKeys: readonly string[];
}

export interface DestroyOptions {
  readonly config: StackConfig;
  /** Leaves what a backup would hold, so that `sotto up` makes the same server again. */
  readonly keepKeys: boolean;
}

/** What Sotto makes in a home, keys last: who interrupts it can still run it again. */
const DATA = /^(data|config|logs|run|compose\.yaml|\.env|initial-sync-done|replacing-.+|.+\.lock)$/;
const KEYS = ['secrets', REQUIRED.config, MARKER_FILE];
const KEPT_WITH_KEYS = ['data/node/keys', ...DIRECTORIES.filter((path) => path !== 'secrets')];

/**
 * Looks at what there is, and changes nothing.
 * @param directory absolute.
 * @throws UserError when it is not the home of a server that Sotto made.
 */
export async function planDestruction(
  directory: string,
  { config, keepKeys }: DestroyOptions,
): Promise<Destruction> {
  const home = homeAt(directory);
  const { paths: outside, kept } = await storageOf(home, config);
  const names = await namesIfPresent(directory);
  const inside = names.filter((name) => DATA.test(name));
  const keys = KEYS.filter((name) => names.includes(name));
  const foreign = names.filter((name) => !DATA.test(name) && !KEYS.includes(name));
  const paths = [
    ...outside,
    ...[...inside, ...(keepKeys ? [] : keys)].map((name) => join(directory, name)),
  ];
  return {
    home: directory,
    doomed: await Promise.all(
      paths.map(async (path) => ({ path, megabytes: await usedMegabytes(path) })),
    ),
    kept: [
      ...kept,
      ...(keepKeys ? [...keys, ...KEPT_WITH_KEYS] : []).map((name) => ({
        path: join(directory, name),
        because: '--keep-keys',
      })),
      ...foreign.map((name) => ({ path: join(directory, name), because: 'not of our making' })),
    ],
    absentKeys: (await missingSeeds(home)).map((path) => join(directory, path)),
  };
}

/** @throws UserError when it is not the home of a server that Sotto made. */
export async function requireOurs(directory: string): Promise<Marker> {
  const marker = await readMarker(directory);
  if (marker !== undefined) return marker;
  throw new UserError(`${directory} is not a home that Sotto made`, {
    hint: `It has no file ${MARKER_FILE}. Nothing was removed.`,
  });
}

/** Removes what was planned. Files with keys are overwritten first. Safe to run again. */
export async function removeDoomed({ home, doomed, kept }: Destruction): Promise<void> {
  const spared = new Set(kept.map(({ path }) => path));
  for (const { path } of doomed) {
    for (const key of await keyFilesBelow(path, spared)) await eraseFile(key);
    await removeSparing(path, spared);
  }
  await removeIfEmpty(home);
}

/** Chain and index outside the home: only where our marker says that we made the directory. */
async function storageOf(
  home: Home,
  config: StackConfig,
): Promise<{ readonly paths: readonly string[]; readonly kept: readonly Kept[] }> {
  const { id } = await requireOurs(home.directory);
  const paths: string[] = [];
  const kept: Kept[] = [];
  for (const service of ['bitcoind', 'target'] as const) {
    const path = dataDirectoryOf({ config, home }, service);
    if (path === home.data(service) || (await kindOf(path)) === undefined) continue;
    if (path === config.bitcoinData) kept.push({ path, because: 'yours: bitcoin_data' });
    else if ((await markerIn(path)) === id) paths.push(path);
    else kept.push({ path, because: 'not of our making' });
  }
  return { paths, kept };
}

async function markerIn(directory: string): Promise<string | undefined> {
  return (await kindOf(directory)) === 'directory' ? (await readMarker(directory))?.id : undefined;
}

const KEY_FILE = /\/(secrets\/[^/]+|[^/]+\.(seed|former|next|auth_private)|hs_ed25519_secret_key)$/;

async function keyFilesBelow(path: string, spared: ReadonlySet<string>): Promise<string[]> {
  if (spared.has(path)) return [];
  const kind = await kindOf(path);
  if (kind === 'file') return KEY_FILE.test(path) ? [path] : [];
  if (kind !== 'directory') return [];
  const found: string[] = [];
  for (const name of await namesIfPresent(path)) {
    found.push(...(await keyFilesBelow(join(path, name), spared)));
  }
  return found;
}

async function removeSparing(path: string, spared: ReadonlySet<string>): Promise<void> {
  if (spared.has(path)) return;
  if (![...spared].some((other) => other.startsWith(`${path}/`))) {
    await ((await kindOf(path)) === 'directory' ? removeMarkedTree(path) : removeIfPresent(path));
    return;
  }
  for (const name of await namesIfPresent(path)) await removeSparing(join(path, name), spared);
}

/** The marker last, so that what is left of an interrupted removal is still known as ours. */
async function removeMarkedTree(path: string): Promise<void> {
  for (const name of await namesIfPresent(path)) {
    if (name !== MARKER_FILE) await removeTree(join(path, name));
  }
  await removeTree(path);
}
