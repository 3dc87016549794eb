import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import type { ServiceSpec } from '../service.ts';

/** Frees a tor that is stuck, over its control socket; needs no network. */
export function watchdogService(context: PlanContext): ServiceSpec {
  const { data } = placesOf(context, 'watchdog');
  return {
    name: 'watchdog',
    command: ['sotto', 'watchdog', '--tor', data],
    files: [],
    dataDirectory: dataDirectoryOf(context, 'watchdog'),
    reaches: [],
    listens: [],
    memoryMiB: context.sizes.services.watchdog,
    stopSeconds: 10,
  };
}
