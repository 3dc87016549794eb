import { formatAddress } from '../../io/dial.ts';
import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import { RENDERED, type ServiceSpec } from '../service.ts';
import { rpcCookieFile } from '../rpc-user.ts';

/** Fulcrum 2.1: indexes bitcoind's chain and answers wallets. */
export function fulcrumService(context: PlanContext): ServiceSpec {
  const { config } = placesOf(context, 'target');
  return {
    name: 'target',
    command: ['Fulcrum', `${config}/fulcrum.conf`],
    files: [
      { name: 'fulcrum.conf', text: fulcrumConf(context) },
      rpcCookieFile(context.facts.targetRpc),
    ],
    dataDirectory: dataDirectoryOf(context, 'target'),
    reaches: ['bitcoind'],
    listens: [{ what: 'Electrum', address: context.endpoints.targetListen }],
    memoryMiB: context.sizes.services.target,
    stopSeconds: 300,
  };
}

function fulcrumConf(context: PlanContext): string {
  const { config, endpoints, sizes, facts } = context;
  const places = placesOf(context, 'target');
  const { targetClients } = endpoints.sources;
  const clients = [...new Set(['127.0.0.1', ...Object.values(targetClients)])];
  return `${RENDERED}datadir = ${places.data}/fulcrum-${config.network}
bitcoind = ${formatAddress(endpoints.bitcoind.rpc)}
rpccookie = ${places.config}/${rpcCookieFile(facts.targetRpc).name}
tcp = ${formatAddress(endpoints.targetListen)}
db_mem = ${sizes.dbMem}
peering = false
announce = false
anon_logs = true
ts_format = none
subnets_to_exclude_from_per_ip_limits = ${clients.map((host) => `${host}/32`).join(', ')}
`;
}
