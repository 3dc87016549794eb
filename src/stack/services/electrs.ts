import type { Network } from '../../bitcoin/networks.ts';
import { formatAddress } from '../../io/dial.ts';
import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import { rpcCookieFile } from '../rpc-user.ts';
import { RENDERED, type ServiceSpec } from '../service.ts';

const NAMES: Readonly<Record<Network, string>> = {
  mainnet: 'bitcoin',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
};

/** electrs 0.11: a small index, and blocks over bitcoind's peer protocol. */
export function electrsService(context: PlanContext): ServiceSpec {
  const { config } = placesOf(context, 'target');
  return {
    name: 'target',
    command: ['electrs', '--skip-default-conf-files', '--conf', `${config}/electrs.toml`],
    files: [
      { name: 'electrs.toml', text: electrsToml(context) },
      rpcCookieFile(context.facts.targetRpc),
    ],
    dataDirectory: dataDirectoryOf(context, 'target'),
    reaches: ['bitcoind'],
    listens: [
      { what: 'Electrum', address: context.endpoints.targetListen },
      // In a container nobody else could have it.
      ...(context.config.backend === 'process'
        ? [{ what: 'figures of electrs', address: context.endpoints.metrics }]
        : []),
    ],
    memoryMiB: context.sizes.services.target,
    stopSeconds: 120,
  };
}

/** A JSON string is a basic string of TOML. */
function electrsToml(context: PlanContext): string {
  const { config, endpoints, facts } = context;
  const places = placesOf(context, 'target');
  return `${RENDERED}network = "${NAMES[config.network]}"
db_dir = ${JSON.stringify(`${places.data}/electrs`)}
cookie_file = ${JSON.stringify(`${places.config}/${rpcCookieFile(facts.targetRpc).name}`)}
daemon_rpc_addr = "${formatAddress(endpoints.bitcoind.rpc)}"
daemon_p2p_addr = "${formatAddress(endpoints.bitcoind.p2p)}"
electrum_rpc_addr = "${formatAddress(endpoints.targetListen)}"
monitoring_addr = "${formatAddress(endpoints.metrics)}"
log_filters = "INFO,electrs::electrum=OFF"
`;
}
