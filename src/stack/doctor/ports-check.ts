import { containersOf } from '../docker/container.ts';
import type { Check } from '../finding.ts';
import { failure, fine, warning } from '../outcome.ts';
import { formatAddress } from '../../io/dial.ts';
import type { Plan } from '../plan.ts';
import { wrongPorts } from './judge-hardening.ts';

/** No port of this machine leads to a container, but the one that the person asked for. */
export function portsCheck(plan: Plan): Check {
  const { docker, exposeLan } = plan.config;
  return {
    id: 'ports',
    title: 'published ports',
    async run({ signal }) {
      const wrong = wrongPorts(plan, await containersOf(docker.project, { signal }));
      if (wrong.length > 0) {
        return failure(wrong.join('; '), 'Close them: sotto down, then sotto up');
      }
      if (exposeLan === undefined) return fine('none');
      return warning(
        `${formatAddress(exposeLan)}, as expose_lan says`,
        'Whoever is in that network can use the Electrum server, and sees what others ask it.',
      );
    },
  };
}
