import { formatAddress } from '../../io/dial.ts';
import { defaultP2pPort } from '../../bitcoin/default-p2p-port.ts';
import { type OnionSettings, renderTorrc } from '../../tor/torrc.ts';
import { dataDirectoryOf, OPEN_WALLET_ONION, type PlanContext, placesOf } from '../plan-context.ts';
import { RENDERED, type ServiceName, type ServiceSpec } from '../service.ts';

export const WALLET_PORT = 50_001;
const RELAY_PORT = 50_010;

/** tor: the only service that reaches the world. */
export function torService(context: PlanContext): ServiceSpec {
  const { config, endpoints, sizes, facts } = context;
  const { config: configPath, data } = placesOf(context, 'tor');
  const { socks } = endpoints;
  const torrc = renderTorrc({
    dataDirectory: `${data}/state`,
    socks: [
      { at: formatAddress(socks.bitcoind), reaches: 'onions' },
      { at: formatAddress(socks.node), reaches: 'onions' },
      { at: `unix:${data}/run/socks`, reaches: 'onions' },
      { at: `unix:${data}/run/exit-socks`, reaches: 'clearnet' },
    ],
    control: { socket: `${data}/run/control`, cookie: `${data}/run/cookie` },
    clientKeys: `${data}/client-keys`,
    onions: onionsOf(context, data),
    ...(facts.torAuthorities && {
      privateNetwork: { authorities: facts.torAuthorities, role: 'client' },
    }),
  });
  const bitcoind: readonly ServiceName[] = config.target === 'devnet' ? [] : ['bitcoind'];
  return {
    name: 'tor',
    command: [
      'tor',
      ...['-f', `${configPath}/torrc`],
      // Debian's defaults would add ports and paths of their own.
      ...['--defaults-torrc', `${configPath}/no-defaults`],
    ],
    files: [{ name: 'torrc', text: `${RENDERED}${torrc}` }],
    dataDirectory: dataDirectoryOf(context, 'tor'),
    reaches: [...bitcoind, config.openWallet ? 'guard' : 'target', 'node'],
    listens: [
      { what: 'SOCKS for bitcoind', address: socks.bitcoind },
      { what: 'SOCKS for the node', address: socks.node },
    ],
    memoryMiB: sizes.services.tor,
    stopSeconds: 30,
  };
}

function onionsOf({ config, endpoints }: PlanContext, data: string): readonly OnionSettings[] {
  const { openWallet, network, target } = config;
  const wallet = openWallet ? endpoints.guard : endpoints.target.tor;
  return [
    {
      directory: `${data}/onions/${openWallet ? OPEN_WALLET_ONION : 'wallet'}`,
      ports: [{ virtual: WALLET_PORT, target: formatAddress(wallet) }],
      ...(openWallet && STRANGERS),
    },
    {
      directory: `${data}/onions/relay`,
      ports: [{ virtual: RELAY_PORT, target: formatAddress(endpoints.node) }],
      ...STRANGERS,
    },
    ...(target === 'devnet'
      ? []
      : [
          {
            directory: `${data}/onions/p2p`,
            ports: [
              {
                virtual: defaultP2pPort(network),
                target: formatAddress(endpoints.bitcoind.onion),
              },
            ],
          },
        ]),
  ];
}

/** What an onion needs that anyone may dial: both its targets read the circuit from the PROXY line. */
const STRANGERS = {
  exportCircuitId: true,
  maxStreams: 16,
  powDefences: { queueRate: 50, queueBurst: 250 },
  introDefence: true,
} as const;
