import { containersOf, labelOf } from '../docker/container.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Plan } from '../plan.ts';
import { missingRestrictions } from './judge-hardening.ts';

/** Containers have no more rights than the plan gives them. */
export function hardeningCheck(plan: Plan): Check {
  return {
    id: 'hardening',
    title: 'rights of the containers',
    async run({ signal }) {
      const containers = await containersOf(plan.config.docker.project, { signal });
      const wrong = containers.flatMap((container) =>
        missingRestrictions(plan, container).map(
          (what) => `${labelOf(container, 'service') ?? container.Name.slice(1)} ${what}`,
        ),
      );
      if (wrong.length > 0) {
        return failure(wrong.join('; '), 'Make them anew: sotto down, then sotto up');
      }
      return fine('none is root, none can write to its image, none can gain a capability');
    },
  };
}
