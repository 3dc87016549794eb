import { basename, dirname, join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { type StackConfig, stackConfigSchema } from '../../config/stack-config.ts';
import { loadYaml, parseYaml } from '../../config/load-yaml.ts';
import { fromUtf8 } from '../../base/bytes.ts';
import { kindOf, removeTree, renameDurably } from '../../io/file-tree.ts';
import type { DurableSteps } from '../durable-steps.ts';
import { CHAIN_DATA, putInPlace, stageHome, stagingOf, vacancyOf } from '../new-home.ts';
import type { ServerBackup } from './archive.ts';
import { REQUIRED } from './backup-paths.ts';

export interface RestoreOptions {
  /** Absolute path of the home to be. */
  readonly home: string;
  /** Puts the restored server into the place of the one that is there. It must not run. */
  readonly replace: boolean;
}

/** Where `--replace` puts the server that was there. */
export function formerOf(home: string): string {
  return join(dirname(home), `${basename(home)}.former`);
}

/** The decisions in a backup. @throws UserError as `loadYaml`: a later sotto may have written it. */
export function configOf(backup: ServerBackup): StackConfig {
  const bytes = backup.files.get(REQUIRED.config) ?? new Uint8Array();
  return parseYaml({
    path: `${REQUIRED.config} in the backup`,
    text: fromUtf8(bytes),
    schema: stackConfigSchema,
  });
}

/**
 * Brings a server back, step by step. After each step the process may be killed for good: then the
 * home is what it was, or absent, or the whole restored one, and running this again ends well.
 * Nothing is ever removed but what an interrupted restore had built.
 * @throws UserError before the first step when the home is not what it must be.
 */
export async function* restoreHome(
  backup: ServerBackup,
  { home, replace }: RestoreOptions,
): DurableSteps {
  const config = configOf(backup);
  if (await undoInterrupted(home)) yield 'undone';
  const vacancy = await vacancyOf(home);
  const former = formerOf(home);
  checkVacancy({ home, replace, vacancy, formerIsThere: (await kindOf(former)) !== undefined });
  const carries = vacancy === 'server' && (await hasSameChain(home, config));
  const staging = await stageHome(home, backup.files);
  yield 'staged';
  if (vacancy === 'server') {
    await renameDurably(home, former);
    yield 'moved away';
  }
  try {
    for (const path of carries ? CHAIN_DATA : []) {
      if ((await kindOf(join(former, path))) === undefined) continue;
      await renameDurably(join(former, path), join(staging, path));
      yield 'carried';
    }
    await putInPlace(staging, home);
  } catch (error) {
    await undoInterrupted(home);
    throw error;
  }
  yield 'in place';
}

/** Whether what one server has built serves another. One with a broken configuration keeps its own. */
async function hasSameChain(home: string, config: StackConfig): Promise<boolean> {
  try {
    const { network, target } = await loadYaml(join(home, REQUIRED.config), stackConfigSchema);
    return network === config.network && target === config.target;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function checkVacancy(found: {
  readonly home: string;
  readonly replace: boolean;
  readonly vacancy: Awaited<ReturnType<typeof vacancyOf>>;
  readonly formerIsThere: boolean;
}): void {
  const { home, replace, vacancy, formerIsThere } = found;
  if (vacancy === 'foreign') {
    throw new UserError(`${home} holds files that are not of a personal server`, {
      hint: 'Name an empty or absent directory with --home.',
    });
  }
  if (vacancy !== 'server') return;
  if (!replace) {
    throw new UserError(`there is a personal server in ${home}`, {
      hint:
        'Name another directory with --home, or give --replace: what is there now is then moved\n' +
        `to ${formerOf(home)}, but for chain and index, which the restored one goes on with.`,
    });
  }
  if (formerIsThere) {
    throw new UserError(`${formerOf(home)} is there, from an earlier --replace`, {
      hint: 'Move it away, or remove it if you are sure that its keys are not needed.',
    });
  }
}

/** A restore was killed after the server that was there had been moved away: moves it back. */
async function undoInterrupted(home: string): Promise<boolean> {
  const former = formerOf(home);
  const staging = stagingOf(home);
  const isInterrupted =
    (await kindOf(home)) === undefined &&
    (await vacancyOf(former)) === 'server' &&
    (await kindOf(staging)) !== undefined;
  if (!isInterrupted) return false;
  for (const path of CHAIN_DATA) {
    if ((await kindOf(join(staging, path))) === undefined) continue;
    await renameDurably(join(staging, path), join(former, path));
  }
  await renameDurably(former, home);
  await removeTree(staging);
  return true;
}
