import { containersOf, networksOf } from '../docker/container.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Plan } from '../plan.ts';
import { brokenNetworks, strayContainers } from './judge-networks.ts';

/** Each container is on the networks of the plan and on no other, and nobody else is on those. */
export function networksCheck(plan: Plan): Check {
  const { project } = plan.config.docker;
  return {
    id: 'networks',
    title: 'networks as planned',
    async run({ signal }) {
      const [containers, networks] = await Promise.all([
        containersOf(project, { signal }),
        networksOf(project, { signal }),
      ]);
      const running = containers.filter(({ State }) => State.Status === 'running');
      const wrong = [
        ...strayContainers(plan, running),
        ...brokenNetworks({ plan, networks, containers }),
      ];
      if (wrong.length > 0) {
        return failure(wrong.join('; '), 'Make them as they should be: sotto down, then sotto up');
      }
      return fine(`${running.length} containers on ${networks.length} networks`);
    },
  };
}
