import { formatAddress } from '../../io/dial.ts';
import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import type { ConfigFile, ServiceSpec } from '../service.ts';

/** The node: relay and gateway, in front of the target. */
export function nodeService(context: PlanContext): ServiceSpec {
  const { endpoints, sizes } = context;
  const { config: configPath } = placesOf(context, 'node');
  return {
    name: 'node',
    command: ['sotto', 'node', '--config', `${configPath}/node.json`],
    files: nodeFiles(context),
    dataDirectory: dataDirectoryOf(context, 'node'),
    reaches: ['tor', 'target'],
    listens: [{ what: 'the relay onion', address: endpoints.node }],
    memoryMiB: sizes.services.node,
    stopSeconds: 15,
  };
}

function nodeFiles(context: PlanContext): readonly ConfigFile[] {
  const { config, endpoints, facts } = context;
  const places = placesOf(context, 'node');
  const { relay } = config;
  const settings = {
    network: config.network,
    dataDirectory: places.data,
    // Sotto makes them once for a server: what is missing here was lost.
    makeKeys: false,
    listen: formatAddress(endpoints.node),
    expectProxyHeader: true,
    target: formatAddress(endpoints.target.node),
    socks: formatAddress(endpoints.socks.node),
    ...(relay && {
      policyFile: `${places.config}/policy`,
      ...(facts.bond !== undefined && { bondFile: `${places.config}/bond` }),
      ...(relay.leave && { leave: true }),
    }),
  };
  return [
    { name: 'node.json', text: `${JSON.stringify(settings, null, 2)}\n` },
    ...(relay && facts.policy !== undefined ? [{ name: 'policy', text: facts.policy }] : []),
    ...(relay && facts.bond !== undefined ? [{ name: 'bond', text: facts.bond }] : []),
  ];
}
