import { dirname, join } from 'node:path';
import { utf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { makePrivateDirectory } from '../../io/durable-file.ts';
import { kindOf } from '../../io/file-tree.ts';
import { give } from '../../io/ownership.ts';
import { REQUIRED } from '../backup/backup-paths.ts';
import { homeAt } from '../home.ts';
import { claimDirectory, type Marker, MARKER_FILE, newMarker, renderMarker } from '../marker.ts';
import { putInPlace, stageHome, vacancyOf } from '../new-home.ts';
import { dataDirectoryOf } from '../plan-context.ts';
import type { Subject } from '../preflight/subject.ts';
import { makeSecrets } from '../secrets.ts';
import { renderStackConfig } from '../stack-config-text.ts';

/** @throws UserError when there is anything in the place of a new home. */
export async function requireVacant(directory: string): Promise<void> {
  const vacancy = await vacancyOf(directory);
  if (vacancy === 'server') {
    throw new UserError(`there is a personal server in ${directory} already`, {
      hint:
        `To change it, edit ${join(directory, REQUIRED.config)} and type: sotto up\n` +
        'For a second one name another directory with --home.',
    });
  }
  if (vacancy === 'foreign') {
    throw new UserError(`${directory} holds files that are not of a personal server`, {
      hint: 'Name an empty or absent directory with --home.',
    });
  }
}

/**
 * Makes a home with its configuration and keys, in one step, and the directories that chain and index go to
 * when that is elsewhere. Nothing is started, and nothing is fetched.
 */
export async function createServer(subject: Subject): Promise<void> {
  const { home, config } = subject;
  await requireVacant(home.directory);
  const marker = newMarker();
  await makeStorage(subject, marker);
  const files = new Map([
    [MARKER_FILE, utf8(renderMarker(marker))],
    [REQUIRED.config, utf8(renderStackConfig(config))],
  ]);
  const staging = await stageHome(home.directory, files);
  await makeSecrets(homeAt(staging));
  await putInPlace(staging, home.directory);
}

async function makeStorage({ config, home, user }: Subject, marker: Marker): Promise<void> {
  const { storage } = config;
  if (storage === undefined) return;
  if ((await kindOf(dirname(storage))) === undefined) {
    throw new UserError(`there is no directory ${dirname(storage)}`, {
      hint: 'Is its disk mounted?',
    });
  }
  await makePrivateDirectory(storage);
  for (const service of ['bitcoind', 'target'] as const) {
    const path = dataDirectoryOf({ config, home }, service);
    if (path === config.bitcoinData) continue;
    if (await claimDirectory(path, marker)) await give(path, user);
  }
}
