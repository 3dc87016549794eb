import type { Plan } from '../plan.ts';
import type { ServiceName } from '../service.ts';
import { type Container, containersOf, labelOf, networksOf } from './container.ts';
import { docker, type DockerOptions, runDocker } from './docker-program.ts';
import { explainDocker } from './docker-complaint.ts';

/** bitcoind may write its cache to disk for ten minutes; the container itself says how long it has. */
const STOP_TIMEOUT_MS = 15 * 60_000;
/** What every image that Sotto builds carries. */
const IMAGE_LABEL = 'sotto.image';

/** Ends and removes the containers of the plan's project, then its networks: never data. */
export async function removeContainersAndNetworks(
  plan: Plan,
  options: DockerOptions,
): Promise<void> {
  const { project } = plan.config.docker;
  await removeContainers(inOrderOfEnd(plan, await containersOf(project, options)), options);
  for (const { Id } of await networksOf(project, options)) {
    await removeUnlessGone(['network', 'rm', Id], options);
  }
}

/** One after the other, as they are given. */
export async function removeContainers(
  containers: readonly Container[],
  options: DockerOptions,
): Promise<void> {
  for (const { Id } of containers) {
    await removeUnlessGone(['stop', Id], { ...options, timeoutMs: STOP_TIMEOUT_MS });
    await removeUnlessGone(['rm', '--volumes=false', Id], options);
  }
}

/** Removes the images of the plan that Sotto built itself; one that others use stays. */
export async function removeImages(plan: Plan, options: DockerOptions): Promise<void> {
  for (const image of new Set(Object.values(plan.images))) {
    const args = ['image', 'inspect', '--format', `{{index .Config.Labels "${IMAGE_LABEL}"}}`];
    const { code, stdout } = await runDocker([...args, image], options);
    if (code !== 0 || stdout.trim() === '') continue;
    const { code: removed, stderr } = await runDocker(['image', 'rm', image], options);
    if (removed !== 0 && !/conflict|No such/.test(stderr)) {
      throw explainDocker(['image', 'rm'], stderr);
    }
  }
}

/** Who asks before who is asked, and tor last. A container that is not of the plan comes first. */
function inOrderOfEnd(plan: Plan, containers: readonly Container[]): readonly Container[] {
  const starts = plan.services.map(({ name }) => name);
  const place = (container: Container): number => {
    const index = starts.indexOf(labelOf(container, 'service') as ServiceName);
    return index === -1 ? starts.length : index;
  };
  return [...containers].sort((a, b) => place(b) - place(a));
}

async function removeUnlessGone(args: readonly string[], options: DockerOptions): Promise<void> {
  await docker(args, options).catch((error: unknown) => {
    if (!/No such|not found|already in progress/.test(String(error))) throw error;
  });
}
