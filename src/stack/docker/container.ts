import { z } from 'zod';
import { docker, type DockerOptions, runDocker } from './docker-program.ts';
import { explainDocker } from './docker-complaint.ts';

/** Labels that docker compose gives to what it makes. */
export const COMPOSE_LABELS = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  directory: 'com.docker.compose.project.working_dir',
  network: 'com.docker.compose.network',
  /** `True` for the container of a `docker compose run`. */
  oneOff: 'com.docker.compose.oneoff',
} as const;

const PORTS = z.record(
  z.string(),
  z.array(z.looseObject({ HostIp: z.string(), HostPort: z.string() })).nullable(),
);

/** What of `docker inspect` is looked at. The engine writes null for an empty list. */
const CONTAINER = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  /** The id of the image's content. */
  Image: z.string(),
  RestartCount: z.int(),
  State: z.looseObject({
    Status: z.string(),
    OOMKilled: z.boolean(),
    ExitCode: z.int(),
    Error: z.string(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
  HostConfig: z.looseObject({
    NetworkMode: z.string(),
    PortBindings: PORTS.nullable(),
    PublishAllPorts: z.boolean(),
    Privileged: z.boolean(),
    ReadonlyRootfs: z.boolean(),
    CapAdd: z.array(z.string()).nullable(),
    CapDrop: z.array(z.string()).nullable(),
    SecurityOpt: z.array(z.string()).nullable(),
    PidMode: z.string(),
    IpcMode: z.string(),
    Devices: z.array(z.unknown()).nullable(),
    Dns: z.array(z.string()).nullable(),
    Memory: z.int(),
  }),
  Mounts: z.array(
    z.looseObject({ Source: z.string().optional(), Destination: z.string(), RW: z.boolean() }),
  ),
  Config: z.looseObject({
    /** As the image was named. */
    Image: z.string(),
    User: z.string(),
    Labels: z.record(z.string(), z.string()).nullable(),
  }),
  NetworkSettings: z.looseObject({
    Ports: PORTS.nullable(),
    Networks: z.record(
      z.string(),
      z.looseObject({ NetworkID: z.string(), IPAddress: z.string(), IPv6Gateway: z.string() }),
    ),
  }),
});

export type Container = z.output<typeof CONTAINER>;

const NETWORK = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Internal: z.boolean(),
  EnableIPv6: z.boolean(),
  IPAM: z.looseObject({
    Config: z.array(z.looseObject({ Subnet: z.string().optional() })).nullable(),
  }),
  Options: z.record(z.string(), z.string()).nullable(),
  Labels: z.record(z.string(), z.string()).nullable(),
  /** By the container's id: those that run. */
  Containers: z.record(z.string(), z.looseObject({ Name: z.string() })).nullable(),
});

export type DockerNetwork = z.output<typeof NETWORK>;

/** The containers of a project, those that ended too. One that goes meanwhile is left out. */
export async function containersOf(
  project: string,
  options: DockerOptions,
): Promise<readonly Container[]> {
  const ids = await idsOf(['ps', '--all', '--no-trunc', ...ofProject(project)], options);
  return inspect('container', CONTAINER, { ids, ...options });
}

/** The networks of a project. */
export async function networksOf(
  project: string,
  options: DockerOptions,
): Promise<readonly DockerNetwork[]> {
  const ids = await idsOf(['network', 'ls', '--no-trunc', ...ofProject(project)], options);
  return inspect('network', NETWORK, { ids, ...options });
}

/** The networks with these ids. */
export async function inspectNetworks(
  ids: readonly string[],
  options: DockerOptions,
): Promise<readonly DockerNetwork[]> {
  return inspect('network', NETWORK, { ids, ...options });
}

export function labelOf(
  { Config: { Labels } }: Container,
  label: keyof typeof COMPOSE_LABELS,
): string | undefined {
  return Labels?.[COMPOSE_LABELS[label]];
}

function ofProject(project: string): string[] {
  return ['--quiet', '--filter', `label=${COMPOSE_LABELS.project}=${project}`];
}

async function idsOf(args: readonly string[], options: DockerOptions): Promise<readonly string[]> {
  const text = await docker(args, options);
  return text.split('\n').filter(Boolean);
}

async function inspect<T extends z.ZodType>(
  kind: 'container' | 'network',
  schema: T,
  { ids, ...options }: DockerOptions & { readonly ids: readonly string[] },
): Promise<readonly z.output<T>[]> {
  if (ids.length === 0) return [];
  const args = [kind, 'inspect', ...ids];
  const { code, stdout, stderr } = await runDocker(args, options);
  // What is gone is told on standard error, beside the list of the others.
  if (code !== 0 && !/No such/i.test(stderr)) throw explainDocker(args, stderr);
  return z.array(schema).parse(JSON.parse(stdout));
}
