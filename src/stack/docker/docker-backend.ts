import process from 'node:process';
import { UserError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Backend, Waiting } from '../backend.ts';
import type { Plan } from '../plan.ts';
import type { ServiceName } from '../service.ts';
import { callThroughCli } from './bitcoin-cli.ts';
import { buildImages } from './build-images.ts';
import { compose } from './compose.ts';
import { type Container, containersOf, labelOf } from './container.ts';
import { dialFromContainer } from './dial-from-container.ts';
import { requireEngine } from './engine.ts';
import { serviceLogs } from './service-logs.ts';
import { containerOf, serviceState } from './service-state.ts';
import { removeContainers, removeContainersAndNetworks, removeImages } from './teardown.ts';

export interface DockerBackendOptions {
  readonly plan: Plan;
  readonly log: Logger;
}

/** Runs the services of a plan as containers, by driving `docker` and `docker compose`. */
export function dockerBackend({ plan, log }: DockerBackendOptions): Backend {
  const { project } = plan.config.docker;
  const names = plan.services.map(({ name }) => name);
  const nameOf = (service: ServiceName): string => containerName(project, service);

  return {
    async up({ signal, onProgress }) {
      await requireEngine(signal);
      const strays = (await ownContainers(plan, { signal })).filter(
        (each) => !(names as readonly (string | undefined)[]).includes(labelOf(each, 'service')),
      );
      await removeContainers(strays, { signal });
      await buildImages({
        images: Object.values(plan.images),
        environment: process.env,
        onProgress,
        signal,
      });
      await compose(plan, ['up', '--detach', '--remove-orphans'], { signal, onProgress });
      log.info('started', { project });
    },
    async down({ signal }) {
      await ownContainers(plan, { signal });
      await removeContainersAndNetworks(plan, { signal });
      log.info('stopped', { project });
    },
    async restart(services, { signal }) {
      await ownContainers(plan, { signal });
      const args = ['up', '--detach', '--no-deps', '--force-recreate', ...services];
      if (services.length > 0) await compose(plan, args, { signal });
    },
    async states({ signal }) {
      const containers = await containersOf(project, { signal });
      return names.map((name) => serviceState(name, containerOf(name, containers)));
    },
    logs: (options) =>
      serviceLogs({
        ...options,
        services: options.service === undefined ? names : [options.service],
        containerOf: nameOf,
      }),
    callBitcoind: (call) => callThroughCli(nameOf('bitcoind'), call),
    dialElectrum(service, { signal }) {
      const { target, bridge } = plan.endpoints;
      return service === 'target'
        ? dialFromContainer(target.node, { container: nameOf('node'), signal })
        : dialFromContainer(bridge.tor, { container: nameOf('bridge'), signal });
    },
    async remove({ signal }) {
      await ownContainers(plan, { signal });
      await removeContainersAndNetworks(plan, { signal });
      await removeImages(plan, { signal });
    },
  };
}

/** As compose names the first container of a service. */
function containerName(project: string, service: ServiceName): string {
  return `${project}-${service}-1`;
}

/** @throws UserError when they are those of another home that has the same project. */
async function ownContainers(plan: Plan, { signal }: Waiting): Promise<readonly Container[]> {
  const { home, config } = plan;
  const { project } = config.docker;
  const containers = await containersOf(project, { signal });
  for (const container of containers) {
    const directory = labelOf(container, 'directory');
    if (directory === home.directory) continue;
    throw new UserError(
      `the Docker project ${project} is in use by ${directory ?? 'something else'}`,
      { hint: 'Choose another in sotto.yaml, such as `docker: { project: sotto-2 }`.' },
    );
  }
  return containers;
}
