import { dirname } from 'node:path';
import { dataDirectoryOf, type PlanContext } from './plan-context.ts';
import type { ServiceName, ServiceSpec } from './service.ts';

/** Services that compose.yaml starts only with the profile of this name. */
const PROFILES: readonly (readonly [ServiceName, string])[] = [
  ['bitcoind', 'core'],
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
  const target = services.find(({ name }) => name === 'target');
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
    SOTTO_TARGET_COMMAND: (target?.command ?? []).join(' '),
    SOTTO_BITCOIND_DATA: dataDirectoryOf({ config, home }, 'bitcoind'),
    SOTTO_TARGET_DATA: dataDirectoryOf({ config, home }, 'target'),
    SOTTO_CONSENSUS_DIRECTORY: config.relay ? dirname(config.relay.consensus) : home.config('node'),
    SOTTO_LAN_ADDRESS: config.exposeLan?.host ?? '127.0.0.1',
    SOTTO_LAN_PORT: String(config.exposeLan?.port ?? 50_001),
  };
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
