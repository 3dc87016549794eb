import { join } from 'node:path';
import { equalBytes, utf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import {
  makePrivateDirectory,
  readIfPresent,
  removeIfPresent,
  writeDurably,
} from '../io/durable-file.ts';
import { kindOf, namesIfPresent } from '../io/file-tree.ts';
import { give, giveTree } from '../io/ownership.ts';
import { renderEnvironment } from './environment.ts';
import { ensureMarker } from './marker.ts';
import { PACKAGE_ROOT } from './package-root.ts';
import type { Plan } from './plan.ts';
import { prepareTor } from './prepare-tor.ts';
import type { Secrets } from './secrets.ts';
import type { ServiceName, ServiceSpec } from './service.ts';

export interface WritePlanOptions {
  readonly plan: Plan;
  readonly secrets: Secrets;
}

/**
 * Brings the files of a home to what its plan says: directories, onion keys, rendered files, owners.
 * Writes only what is not so already, and can be interrupted and run again.
 * @returns the services whose files are others than before: those that run need a restart.
 * @throws UserError when the wallet onion would be open without having been asked for.
 */
export async function writePlan(options: WritePlanOptions): Promise<readonly ServiceName[]> {
  const { plan } = options;
  const { home, config, services } = plan;
  await makePrivateDirectory(home.directory);
  await ensureMarker(home.directory);
  await makePrivateDirectory(home.logs);
  for (const service of services) await makeDirectories(plan, service);
  const changed = new Set<ServiceName>();
  if (await prepareTor(options)) changed.add('tor');
  for (const service of services) {
    if (await writeConfig(plan, service)) changed.add(service.name);
  }
  if (config.backend === 'docker') await writeComposeFiles(plan);
  // Made by this process, whoever that is.
  for (const name of ['tor', 'node'] as const) await giveTree(home.data(name), plan.user);
  return services.map(({ name }) => name).filter((name) => changed.has(name));
}

async function makeDirectories(plan: Plan, service: ServiceSpec): Promise<void> {
  const { home, config, user } = plan;
  const { name, dataDirectory } = service;
  await makePrivateDirectory(home.config(name));
  if (dataDirectory === undefined) return;
  const isBelowHome = dataDirectory.startsWith(`${home.directory}/`);
  await (isBelowHome ? makePrivateDirectory : requireDirectory)(dataDirectory);
  // What was brought along belongs to whom it belongs to: `sotto init` says what to do.
  if (dataDirectory !== config.bitcoinData) await give(dataDirectory, user);
}

/** What is not below the home may be a disk that is not mounted: nothing is made in its place. */
async function requireDirectory(path: string): Promise<void> {
  if ((await kindOf(path)) !== undefined) return;
  throw new UserError(`there is no directory ${path}`, {
    hint: `Is its disk mounted? To begin anew there: mkdir -m 700 ${path}`,
  });
}

async function writeConfig({ home, user }: Plan, service: ServiceSpec): Promise<boolean> {
  const directory = home.config(service.name);
  let isChanged = false;
  for (const { name, text } of service.files) {
    if (await writeIfOther(join(directory, name), text)) isChanged = true;
  }
  const names = service.files.map(({ name }) => name);
  for (const name of await namesIfPresent(directory)) {
    if (!names.includes(name)) await removeIfPresent(join(directory, name));
  }
  await giveTree(directory, user);
  return isChanged;
}

/** `docker compose` in the home finds all it needs. */
async function writeComposeFiles({ home, environment }: Plan): Promise<void> {
  const shipped = join(PACKAGE_ROOT, 'compose.yaml');
  const compose = await readIfPresent(shipped);
  if (compose === undefined) throw new Error(`the package lacks ${shipped}`);
  await writeIfOther(home.composeFile, compose);
  await writeIfOther(home.environmentFile, renderEnvironment(environment));
}

async function writeIfOther(path: string, data: string | Uint8Array): Promise<boolean> {
  const bytes = typeof data === 'string' ? utf8(data) : data;
  const held = await readIfPresent(path);
  if (held !== undefined && equalBytes(held, bytes)) return false;
  await writeDurably(path, bytes);
  return true;
}
