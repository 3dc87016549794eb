import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { docker, runDocker } from './docker-program.ts';
import { explainDocker } from './docker-complaint.ts';

/** What runs the containers, as it was found. */
export interface DockerEngine {
  /** Of the engine, not of the program `docker`. */
  readonly version: string;
  readonly composeVersion: string;
  /** `amd64`, `arm64` as Go names them. */
  readonly architecture: string;
}

/** The first engine with `--init`, cgroup v2 and the DNS that Sotto's networks were tried with. */
const ENGINE_FLOOR = '20.10';
/** The first compose that takes `--progress` and everything of our compose.yaml. */
const COMPOSE_FLOOR = '2.20';

const UPGRADE = 'See https://docs.docker.com/engine/install';

const VERSION = z.looseObject({
  Server: z.looseObject({ Version: z.string(), Arch: z.string() }),
});

/**
 * Finds Docker, whatever its age.
 * @throws UserError, with what to type, when it is missing, does not run, or is not ours to use.
 */
export async function findEngine(signal: AbortSignal): Promise<DockerEngine> {
  const text = await docker(['version', '--format', '{{json .}}'], { signal });
  const { Server } = VERSION.parse(JSON.parse(text));
  return {
    version: Server.Version,
    architecture: Server.Arch,
    composeVersion: await composeVersion(signal),
  };
}

/** As `findEngine`. @throws UserError when engine or compose are too old, too. */
export async function requireEngine(signal: AbortSignal): Promise<DockerEngine> {
  const engine = await findEngine(signal);
  for (const complaint of tooOld(engine)) throw new UserError(complaint, { hint: UPGRADE });
  return engine;
}

/** What is older than the floor, in words. */
export function tooOld({ version, composeVersion }: DockerEngine): readonly string[] {
  return [
    ...(isAtLeast(version, ENGINE_FLOOR)
      ? []
      : [`Docker Engine ${version} is too old: Sotto needs ${ENGINE_FLOOR} or newer`]),
    ...(isAtLeast(composeVersion, COMPOSE_FLOOR)
      ? []
      : [`Docker Compose ${composeVersion} is too old: Sotto needs ${COMPOSE_FLOOR} or newer`]),
  ];
}

async function composeVersion(signal: AbortSignal): Promise<string> {
  const args = ['compose', 'version', '--short'];
  const { code, stdout, stderr } = await runDocker(args, { signal });
  // Without the plugin, some releases print their general help and call that success.
  const version = /^v?(\d+\.\d+[^\s]*)\s*$/.exec(stdout)?.[1];
  if (code !== 0 || version === undefined) {
    throw explainDocker(args, stderr || "docker: 'compose' is not a docker command.");
  }
  return version;
}

/** Compares numbers of versions such as `20.10.24+dfsg1`; what is no number counts as zero. */
function isAtLeast(version: string, floor: string): boolean {
  const numbers = (text: string): number[] =>
    text.split(/[.+~-]/).map((part) => (/^\d+$/.test(part) ? Number(part) : 0));
  const has = numbers(version);
  const needs = numbers(floor);
  const at = needs.findIndex((part, index) => part !== (has[index] ?? 0));
  return at === -1 || (has[at] ?? 0) > (needs[at] ?? 0);
}
