import { createHash } from 'node:crypto';
import { dataDirectoryOf, type PlanContext } from './plan-context.ts';
import { type ConfigFile, SERVICE_NAMES, type ServiceName, type ServiceSpec } from './service.ts';

/** Services that compose.yaml starts only with the profile of this name. */
const PROFILES: readonly (readonly [ServiceName, string])[] = [
  ['bitcoind', 'core'],
  ['bridge', 'bridge'],
  ['guard', 'guard'],
  ['lan', 'lan'],
];

/** The variables of compose.yaml, as `.env` gives them. */
export function environmentOf(
  context: PlanContext,
  services: readonly ServiceSpec[],
): Record<string, string> {
  const { config, facts, home, sizes } = context;
  const has = (name: ServiceName): boolean => services.some((service) => service.name === name);
  const commandOf = (name: ServiceName): string =>
    services.find((service) => service.name === name)?.command.join(' ') ?? '';
  return {
    COMPOSE_PROJECT_NAME: config.docker.project,
    COMPOSE_PROFILES: PROFILES.flatMap(([name, profile]) => (has(name) ? [profile] : [])).join(','),
    SOTTO_USER: `${facts.uid}:${facts.gid}`,
    SOTTO_NETWORK_PREFIX: config.docker.networkPrefix,
    ...Object.fromEntries(
      Object.entries(facts.images).map(([name, image]) => [
        `SOTTO_${name.toUpperCase()}_IMAGE`,
        image,
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(sizes.services).map(([name, size]) => [
        `SOTTO_${name.toUpperCase()}_MEMORY`,
        `${size}m`,
      ]),
    ),
    ...Object.fromEntries(
      SERVICE_NAMES.filter((name) => name !== 'watchdog').map((name) => [
        `SOTTO_${name.toUpperCase()}_FILES`,
        digestOf(services.find((service) => service.name === name)?.files ?? []),
      ]),
    ),
    SOTTO_TARGET_COMMAND: commandOf('target'),
    SOTTO_BRIDGE_COMMAND: commandOf('bridge'),
    SOTTO_BITCOIND_DATA: dataDirectoryOf({ config, home }, 'bitcoind'),
    SOTTO_TARGET_DATA: dataDirectoryOf({ config, home }, 'target'),
    SOTTO_LAN_ADDRESS: config.exposeLan?.host ?? '127.0.0.1',
    SOTTO_LAN_PORT: String(config.exposeLan?.port ?? 50_001),
  };
}

/** Compose starts a container anew when this is another: rendered files are no setting of its own. */
function digestOf(files: readonly ConfigFile[]): string {
  const hash = createHash('sha256');
  for (const { name, text } of files) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

const PLAIN = /^[\w./:@%+=,~-]*$/;

/**
 * The text of `.env`. A value with anything that compose could take for its own stands in single
 * quotes.
 * @throws RangeError for a value that no quotes can hold.
 */
export function renderEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}

function quote(value: string): string {
  if (PLAIN.test(value)) return value;
  if (/['\n\r\0]/.test(value)) throw new RangeError(`.env cannot hold ${JSON.stringify(value)}`);
  return `'${value}'`;
}
