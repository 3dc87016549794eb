import { defaultP2pPort } from '../../bitcoin/default-p2p-port.ts';
import { renderBitcoinConf } from '../../bitcoin/bitcoin-conf.ts';
import { dataDirectoryOf, type PlanContext, placesOf } from '../plan-context.ts';
import { RENDERED, type ServiceSpec } from '../service.ts';

/** Name and password of the cookie user, in the data directory: bitcoind writes it at each start. */
export const BITCOIND_COOKIE = '.cookie';

/** bitcoind, which reaches tor and nothing else. */
export function bitcoindService(context: PlanContext): ServiceSpec {
  const { config, endpoints, sizes, facts } = context;
  const places = placesOf(context, 'bitcoind');
  const { rpc, onion, p2p, zmq } = endpoints.bitcoind;
  const isElectrs = config.target === 'electrs';
  return {
    name: 'bitcoind',
    command: ['bitcoind', `-conf=${places.config}/bitcoin.conf`, `-datadir=${places.data}`],
    files: [
      {
        name: 'bitcoin.conf',
        text: `${RENDERED}${renderBitcoinConf({
          network: config.network,
          proxy: endpoints.socks.bitcoind,
          onion: {
            bind: onion,
            advertise: { host: facts.onions.p2p, port: defaultP2pPort(config.network) },
          },
          rpc: {
            bind: rpc,
            cookieFile: `${places.data}/${BITCOIND_COOKIE}`,
            target: { host: endpoints.sources.target, user: facts.targetRpc },
          },
          indexer: isElectrs ? { kind: 'electrs', p2p } : { kind: 'fulcrum', zmq },
          dbcacheMiB: sizes.dbcache,
        })}`,
      },
    ],
    dataDirectory: dataDirectoryOf(context, 'bitcoind'),
    reaches: ['tor'],
    listens: [
      { what: 'the p2p onion', address: onion },
      { what: 'RPC', address: rpc },
      isElectrs
        ? { what: 'blocks for electrs', address: p2p }
        : { what: 'news for Fulcrum', address: zmq },
    ],
    memoryMiB: sizes.services.bitcoind,
    // The cache is written to disk then.
    stopSeconds: 600,
  };
}
