import { formatAddress } from '../../io/dial.ts';
import { type PlanContext, placesOf } from '../plan-context.ts';
import type { ServiceSpec } from '../service.ts';

/** A guard for the local network, whose clients are told apart by nothing but their connections. */
export function lanService(context: PlanContext): ServiceSpec {
  const { config: stack, endpoints, sizes } = context;
  const { config } = placesOf(context, 'lan');
  const settings = {
    listen: formatAddress(endpoints.lan),
    target: formatAddress(stack.bridge ? endpoints.bridge.lan : endpoints.target.lan),
    expectProxyHeader: false,
  };
  return {
    name: 'lan',
    command: ['sotto', 'guard', '--config', `${config}/guard.json`],
    files: [{ name: 'guard.json', text: `${JSON.stringify(settings, null, 2)}\n` }],
    reaches: [stack.bridge ? 'bridge' : 'target'],
    listens: [{ what: 'the local network', address: endpoints.lan }],
    memoryMiB: sizes.services.lan,
    stopSeconds: 10,
  };
}
