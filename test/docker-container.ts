import type { Container } from '../src/stack/docker/container.ts';
import type { Edge } from '../src/stack/edges.ts';
import type { ServiceName } from '../src/stack/service.ts';

export const TEST_PROJECT = 'sotto-test';

/** What the engine would say of a container as compose.yaml makes it. */
export function testContainer({
  service,
  edges = [],
}: {
  readonly service: ServiceName;
  readonly edges?: readonly Edge[];
}): Container {
  const networks = edges.flatMap(({ name, members }) => {
    const address = members[service];
    return address === undefined ? [] : [[`${TEST_PROJECT}_${name}`, address] as const];
  });
  return {
    Id: `id-of-${service}`,
    Name: `/${TEST_PROJECT}-${service}-1`,
    Image: 'sha256:00',
    RestartCount: 0,
    State: {
      Status: 'running',
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-11-22T10:43:01.561379011Z',
      FinishedAt: '2026-11-22T10:42:45.171444845Z',
    },
    HostConfig: {
      NetworkMode: service === 'watchdog' ? 'none' : `${TEST_PROJECT}_${edges[0]?.name ?? ''}`,
      PortBindings: {},
      PublishAllPorts: false,
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: null,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      PidMode: '',
      IpcMode: 'private',
      Devices: null,
      Dns: ['127.213.0.53'],
      Memory: 268435456,
    },
    Mounts: [],
    Config: {
      Image: `sotto-${service}:0`,
      User: '21000:21000',
      Labels: {
        'com.docker.compose.project': TEST_PROJECT,
        'com.docker.compose.service': service,
        'com.docker.compose.oneoff': 'False',
      },
    },
    NetworkSettings: {
      Ports: {},
      Networks: Object.fromEntries(
        networks.map(([name, address]) => [
          name,
          { NetworkID: `id-of-${name}`, IPAddress: address, IPv6Gateway: '' },
        ]),
      ),
    },
  };
}
