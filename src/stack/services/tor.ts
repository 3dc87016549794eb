import { defaultP2pPort } from '../../bitcoin/default-p2p-port.ts';
import type { StackConfig } from '../../config/stack-config.ts';
import { type Address, formatAddress } from '../../io/dial.ts';
import { type OnionSettings, renderTorrc } from '../../tor/torrc.ts';
import type { SocksUser } from '../endpoints.ts';
import { dataDirectoryOf, OPEN_WALLET_ONION, type PlanContext, placesOf } from '../plan-context.ts';
import { RENDERED, type ServiceName, type ServiceSpec } from '../service.ts';

export const WALLET_PORT = 50_001;
const RELAY_PORT = 50_010;

/** tor: the only service that reaches the world. */
export function torService(context: PlanContext): ServiceSpec {
  const { config, endpoints, sizes, facts } = context;
  const { config: configPath, data } = placesOf(context, 'tor');
  const { socks } = endpoints;
  const users = socksUsersOf(config);
  const torrc = renderTorrc({
    dataDirectory: `${data}/state`,
    socks: [
      ...users.map((user) => ({ at: formatAddress(socks[user]), reaches: 'onions' as const })),
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
    reaches: [...bitcoind, walletsMeet(context).service, 'node'],
    listens: [...users.map((user) => ({ what: `SOCKS for ${user}`, address: socks[user] }))],
    memoryMiB: sizes.services.tor,
    stopSeconds: 30,
  };
}

/** Who asks for onions. A port each, so that none can use another's circuits. */
function socksUsersOf({ bridge }: StackConfig): readonly SocksUser[] {
  return ['bitcoind', 'node', ...(bridge?.lookup === 'relayed' ? (['bridge'] as const) : [])];
}

/** What answers the streams of the wallet onion. */
function walletsMeet({ config, endpoints }: PlanContext): {
  readonly service: ServiceName;
  readonly address: Address;
} {
  if (config.openWallet) return { service: 'guard', address: endpoints.guard };
  if (config.bridge) return { service: 'bridge', address: endpoints.bridge.tor };
  return { service: 'target', address: endpoints.target.tor };
}

function onionsOf(context: PlanContext, data: string): readonly OnionSettings[] {
  const { config, endpoints } = context;
  const { openWallet, network, target } = config;
  return [
    {
      directory: `${data}/onions/${openWallet ? OPEN_WALLET_ONION : 'wallet'}`,
      ports: [{ virtual: WALLET_PORT, target: formatAddress(walletsMeet(context).address) }],
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
