import { totalmem } from 'node:os';
import process from 'node:process';
import { UserError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { loadJson, loadText } from '../config/load.ts';
import { loadYaml } from '../config/load-yaml.ts';
import { plainPathSchema, type StackConfig, stackConfigSchema } from '../config/stack-config.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { ownerOf } from '../io/ownership.ts';
import type { Owner } from '../io/ownership.ts';
import { testNetworkSchema } from '../tor/test-network-file.ts';
import type { Backend } from './backend.ts';
import { chooseBackend } from './choose-backend.ts';
import { type Home, homeAt } from './home.ts';
import { imagesOf } from './images.ts';
import { readMarker } from './marker.ts';
import { makePlan, type Plan } from './plan.ts';
import type { PlanFacts } from './plan-context.ts';
import { makeSecrets, onionAddresses, openSecrets, type Secrets } from './secrets.ts';
import { isInitialSyncDone } from './sync-marker.ts';

/** One personal server: what was decided, what follows from it, and what runs it. */
export interface Stack {
  readonly home: Home;
  readonly config: StackConfig;
  readonly plan: Plan;
  readonly secrets: Secrets;
  readonly backend: Backend;
}

/** Whom containers run as when the person is root. */
const UNPRIVILEGED_ID = 21_000;
const MIB = 1024 * 1024;
const NO_IMAGES = { tor: '', bitcoind: '', target: '', node: '' };
const NO_KEYS = {
  onions: { wallet: '', relay: '', p2p: '' },
  targetRpc: { name: '', password: '', salt: '', hmac: '' },
};

/** A server that is to end. */
interface EndingStack extends Pick<Stack, 'config'> {
  readonly backend: Pick<Backend, 'states' | 'down' | 'remove'>;
}

interface OpenOptions {
  readonly log: Logger;
}

/**
 * Reads `sotto.yaml` of a home and its secrets, and plans. Changes nothing that runs.
 * @param directory absolute.
 * @throws UserError for what the person can mend, such as that there are no keys.
 */
export async function openStack(directory: string, { log }: OpenOptions): Promise<Stack> {
  const { home, config } = await openHome(directory);
  return planStack({ home, config, secrets: await openSecrets(home) }, log);
}

/**
 * As `openStack`, for what starts a server: makes the keys of one that never had any, because its
 * `sotto.yaml` was written by hand.
 * @throws UserError as `openStack`, also when the server had keys and they are gone.
 */
export async function openOrBeginStack(directory: string, { log }: OpenOptions): Promise<Stack> {
  const { home, config } = await openHome(directory);
  const isNew = (await readMarker(directory)) === undefined;
  const secrets = await (isNew ? makeSecrets : openSecrets)(home);
  return planStack({ home, config, secrets }, log);
}

/**
 * As `openStack`, for what ends a server: that needs no keys, nor the files that `sotto.yaml` names, and is
 * the way out when they are gone.
 * @throws UserError for what the person can mend.
 */
export async function openToEnd(directory: string, { log }: OpenOptions): Promise<EndingStack> {
  const { home, config } = await openHome(directory);
  const plan = makePlan({
    config,
    home,
    facts: { ...(await machineFacts(home, config)), ...NO_KEYS },
  });
  return { config, backend: chooseBackend({ plan, log }) };
}

async function openHome(directory: string): Promise<Pick<Stack, 'home' | 'config'>> {
  requirePlainPath(directory);
  await requireOwn(directory);
  const home = homeAt(directory);
  if ((await readIfPresent(home.configFile)) === undefined) {
    throw new UserError(`there is no personal server in ${directory}`, {
      hint: 'Make one with: sotto init',
    });
  }
  return { home, config: await loadYaml(home.configFile, stackConfigSchema) };
}

async function planStack(
  { home, config, secrets }: Pick<Stack, 'home' | 'config' | 'secrets'>,
  log: Logger,
): Promise<Stack> {
  const facts: PlanFacts = {
    ...(await machineFacts(home, config)),
    ...(await namedFiles(config)),
    onions: onionAddresses(secrets),
    targetRpc: secrets.targetRpc,
  };
  const plan = makePlan({ config, home, facts });
  return { home, config, plan, secrets, backend: chooseBackend({ plan, log }) };
}

/** The home's path stands in rendered files. */
export function requirePlainPath(directory: string): void {
  const problem = plainPathSchema.safeParse(directory).error?.issues[0];
  if (problem === undefined) return;
  throw new UserError(`${JSON.stringify(directory)} cannot be a home: ${problem.message}`, {
    hint: 'Choose another with: --home DIRECTORY',
  });
}

/** Files that another user writes there, root included, would soon be out of the owner's reach. */
async function requireOwn(directory: string): Promise<void> {
  const owner = await ownerOf(directory);
  if (owner === undefined || owner.uid === process.getuid?.()) return;
  throw new UserError(`the personal server in ${directory} belongs to another user`, {
    hint: `Run sotto as the user with the number ${owner.uid}, or choose another --home.`,
  });
}

type NamedFiles = Pick<PlanFacts, 'policy' | 'bond' | 'torAuthorities'>;

async function machineFacts(
  home: Home,
  config: StackConfig,
): Promise<Omit<PlanFacts, keyof NamedFiles | keyof typeof NO_KEYS>> {
  return {
    ...servicesUser(config),
    memoryMiB: Math.floor(totalmem() / MIB),
    initialSyncDone: await isInitialSyncDone(home, config),
    images: config.backend === 'docker' ? await imagesOf(config.target, process.env) : NO_IMAGES,
  };
}

/** What is in the files that `sotto.yaml` names. */
async function namedFiles({ relay, testNetworkFile }: StackConfig): Promise<NamedFiles> {
  return {
    ...(relay && { policy: await loadText(relay.policy) }),
    ...(relay?.bond !== undefined && { bond: await loadText(relay.bond) }),
    ...(testNetworkFile !== undefined && {
      torAuthorities: await loadJson(testNetworkFile, testNetworkSchema),
    }),
  };
}

/** Processes run as the person; containers never as root. */
export function servicesUser({ backend }: StackConfig): Owner {
  const uid = process.getuid?.() ?? UNPRIVILEGED_ID;
  const gid = process.getgid?.() ?? UNPRIVILEGED_ID;
  return backend === 'docker' && uid === 0
    ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }
    : { uid, gid };
}
