import { formatAddress } from '../../io/dial.ts';
import { type PlanContext, placesOf } from '../plan-context.ts';
import type { ServiceSpec } from '../service.ts';

/** The guard: bounds what strangers of an open wallet onion ask of the target. */
export function guardService(context: PlanContext): ServiceSpec {
  const { endpoints, sizes } = context;
  const { config } = placesOf(context, 'guard');
  const settings = {
    listen: formatAddress(endpoints.guard),
    target: formatAddress(endpoints.target.guard),
    expectProxyHeader: true,
  };
  return {
    name: 'guard',
    command: ['sotto', 'guard', '--config', `${config}/guard.json`],
    files: [{ name: 'guard.json', text: `${JSON.stringify(settings, null, 2)}\n` }],
    reaches: ['target'],
    listens: [{ what: 'the open wallet onion', address: endpoints.guard }],
    memoryMiB: sizes.services.guard,
    stopSeconds: 10,
  };
}
