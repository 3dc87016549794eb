import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { PACKAGE_ROOT } from '../src/stack/package-root.ts';

type Environment = Readonly<Record<string, string>>;

/** One service of compose.yaml, as far as a plan has a say in it. */
export interface ComposeService {
  readonly image: string;
  readonly command: readonly string[];
  /** Empty where the image's own is not to run; absent where it is. */
  readonly entrypoint?: readonly string[];
  readonly user: string;
  readonly networks: Readonly<Record<string, string>>;
  /** By the place in the container: `source`, with ` (ro)` for one that is only read. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly stopSeconds: number;
  readonly ports: readonly string[];
  /** All of it, for what is the same in every service. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface ComposeNetwork {
  readonly subnet: string;
  readonly internal: boolean;
  readonly options: Readonly<Record<string, string>>;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, ComposeNetwork>>;
}

interface RawMount {
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path?: boolean };
}

interface RawPort {
  readonly host_ip?: string;
  readonly published: string;
  readonly target: number;
}

interface RawService {
  readonly image: string;
  readonly command: string | readonly string[];
  readonly entrypoint?: readonly string[] | null;
  readonly user: string;
  readonly networks?: Readonly<Record<string, { readonly ipv4_address: string }>>;
  readonly volumes?: readonly RawMount[];
  readonly mem_limit: string;
  readonly stop_grace_period: string;
  readonly ports?: readonly (string | RawPort)[];
  readonly profiles?: readonly string[];
}

interface RawFile {
  readonly services: Readonly<Record<string, RawService>>;
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean;
        readonly driver_opts?: Readonly<Record<string, string>>;
        readonly ipam: { readonly config: readonly { readonly subnet: string }[] };
      }
    >
  >;
}

/** compose.yaml as YAML alone, with the variables put in and the services of no profile left out. */
export function readComposeFile(environment: Environment, home: string): ComposeFile {
  const text = readFileSync(join(PACKAGE_ROOT, 'compose.yaml'), 'utf8').replace(
    /\$\{(\w+)(?::-([^}]*))?\}/g,
    (_, name: string, usual: string | undefined) =>
      (environment[name] === '' ? usual : environment[name]) ?? usual ?? '',
  );
  const file = parse(text, { merge: true }) as RawFile;
  const profiles = (environment['COMPOSE_PROFILES'] ?? '').split(',');
  const services = Object.entries(file.services).filter(
    ([, { profiles: own }]) => own?.some((name) => profiles.includes(name)) ?? true,
  );
  return normalise({ ...file, services: Object.fromEntries(services) }, home);
}

/** compose.yaml as `docker compose` itself understands it; undefined where there is none. */
export function askCompose(
  environmentFile: string,
  home: string,
): { readonly file: ComposeFile; readonly complaints: string } | undefined {
  if (spawnSync('docker', ['compose', 'version']).status !== 0) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'sotto-compose-'));
  try {
    writeFileSync(join(directory, '.env'), environmentFile);
    const { stdout, stderr } = spawnSync(
      'docker',
      [
        ...['compose', '--file', join(PACKAGE_ROOT, 'compose.yaml'), '--project-directory', home],
        ...['--env-file', join(directory, '.env'), 'config', '--format', 'json'],
      ],
      { encoding: 'utf8' },
    );
    return { file: normalise(JSON.parse(stdout) as RawFile, home), complaints: stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function normalise({ services, networks }: RawFile, home: string): ComposeFile {
  return {
    services: mapValues(services, (service) => ({
      image: service.image,
      command: typeof service.command === 'string' ? service.command.split(' ') : service.command,
      ...(service.entrypoint && { entrypoint: service.entrypoint }),
      user: service.user,
      networks: mapValues(service.networks ?? {}, ({ ipv4_address }) => ipv4_address),
      mounts: Object.fromEntries((service.volumes ?? []).map((mount) => mountOf(mount, home))),
      memoryMiB: mebibytes(service.mem_limit),
      stopSeconds: seconds(service.stop_grace_period),
      ports: (service.ports ?? []).map((port) =>
        typeof port === 'string' ? port : `${port.host_ip ?? ''}:${port.published}:${port.target}`,
      ),
      raw: service as unknown as Readonly<Record<string, unknown>>,
    })),
    networks: mapValues(networks, ({ internal = false, driver_opts = {}, ipam }) => ({
      subnet: ipam.config[0]?.subnet ?? '',
      internal,
      options: driver_opts,
    })),
  };
}

function mountOf({ source, target, read_only, bind }: RawMount, home: string): [string, string] {
  const flags = [...(read_only ? [' (ro)'] : []), ...(bind?.create_host_path ? [' (made)'] : [])];
  return [target, resolve(home, source) + flags.join('')];
}

function mebibytes(limit: string): number {
  const MIB = 1024 * 1024;
  return limit.endsWith('m') ? Number(limit.slice(0, -1)) : Number(limit) / MIB;
}

function seconds(period: string): number {
  const [, minutes = '0', rest = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(period) ?? [];
  return Number(minutes) * 60 + Number(rest);
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
