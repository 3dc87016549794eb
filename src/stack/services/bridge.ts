import type { StackConfig } from '../../config/stack-config.ts';
import { formatAddress } from '../../io/dial.ts';
import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import type { ServiceName, ServiceSpec } from '../service.ts';

type BridgeConfig = NonNullable<StackConfig['bridge']>;
type Way = Pick<ServiceSpec, 'files'> & {
  readonly options: readonly string[];
  readonly reaches: ServiceName;
};

/** The bridge: answers wallets in the target's place, with what it has verified itself. */
export function bridgeService(context: PlanContext, bridge: BridgeConfig): ServiceSpec {
  const { config, endpoints, sizes } = context;
  const { options, files, reaches } = WAYS[bridge.lookup](context);
  return {
    name: 'bridge',
    command: [
      ...(['sotto', 'bridge'] as const),
      ...options,
      ...(bridge.schedule === undefined ? [] : ['--schedule', bridge.schedule]),
      ...['--state', placesOf(context, 'bridge').data],
      ...['--listen', formatAddress(endpoints.bridgeListen)],
      // Of a container, whose networks are all internal.
      ...(config.backend === 'docker' ? ['--allow-lan'] : []),
      '--json',
    ],
    files,
    dataDirectory: dataDirectoryOf(context, 'bridge'),
    reaches: [reaches],
    listens: [{ what: 'wallets', address: endpoints.bridgeListen }],
    memoryMiB: sizes.services.bridge,
    stopSeconds: 15,
  };
}

const WAYS: Readonly<Record<BridgeConfig['lookup'], (context: PlanContext) => Way>> = {
  direct: directWay,
  relayed: relayedWay,
};

/** At the target, which is beside it. */
function directWay({ config, endpoints }: PlanContext): Way {
  const server = formatAddress(endpoints.target.bridge);
  return {
    options: ['--direct', '--server', server, '--network', config.network],
    files: [],
    reaches: 'target',
  };
}

/** In the relay network, so that the target learns nothing either. */
function relayedWay(context: PlanContext): Way {
  const { endpoints, facts } = context;
  const policyFile = `${placesOf(context, 'bridge').config}/policy`;
  const socks = formatAddress(endpoints.socks.bridge);
  return {
    options: ['--relayed', '--policy', policyFile, '--socks', socks],
    files: facts.policy === undefined ? [] : [{ name: 'policy', text: facts.policy }],
    reaches: 'tor',
  };
}
