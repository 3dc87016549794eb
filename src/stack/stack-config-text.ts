import { isMap, parseDocument, stringify } from 'yaml';
import type { RelayMembership, StackConfig } from '../config/stack-config.ts';
import { formatAddress } from '../io/dial.ts';

/**
 * The text of a `sotto.yaml` that says what `config` says. What is as it would be without being said
 * stands there as a comment, so that the file shows all that can be said.
 */
export function renderStackConfig(config: StackConfig): string {
  const { relay, bridge, exposeLan, testNetworkFile, docker, process } = config;
  return [
    '# A personal server of Sotto. docs/configuration.md says more. After a change: sotto up\n',
    '# mainnet, testnet4, signet or regtest. Another network needs another home.',
    setting('network', config.network),
    '# The Electrum server: fulcrum, or electrs for a small disk; devnet for tests on regtest.',
    setting('target', config.target),
    '# What runs it: docker, or process for programs on PATH.',
    setting('backend', config.backend),
    '# Where the chain and the index are kept, when not here.',
    optional('storage', config.storage, '/mnt/disk/sotto'),
    '# A data directory of bitcoind to go on with: complete, not pruned, and used by nothing else.',
    optional('bitcoin_data', config.bitcoinData, '/home/me/.bitcoin'),
    '# true lets in wallets that cannot hold a device key; then whoever knows the onion comes in.',
    setting('open_wallet', config.openWallet),
    '# Where wallets of the local network come in, without Tor: the address of this machine.',
    optional('expose_lan', exposeLan && formatAddress(exposeLan), '192.168.1.5:50001'),
    '# What all of it may take of the memory; most of the machine unless said.',
    optional('memory_mib', config.memoryMib, 4096),
    '# A network of nodes to take part in: `sotto join` and `sotto leave` write it.',
    optional('relay', relay && { ...relay }, {
      policy: '/etc/sotto/policy',
      bond: '/etc/sotto/bond',
      leave: false,
    }),
    '# A bridge answers wallets, and verifies first: direct asks the own server, relayed the network.',
    optional('bridge', bridge && { ...bridge }, { lookup: 'relayed', schedule: 'steady' }),
    '# For tests: the authorities of a private Tor network.',
    optional('tor', testNetworkFile !== undefined && { test_network: testNetworkFile }, {
      test_network: '/tmp/tor-network.json',
    }),
    '# The name before all containers and networks, and the addresses of the networks.',
    setting('docker', { project: docker.project, network_prefix: docker.networkPrefix }),
    '# For `backend: process`: the first of its ports of 127.0.0.1, and programs that are not on PATH.',
    setting('process', {
      first_port: process.firstPort,
      ...(Object.keys(process.programs).length > 0 && { programs: process.programs }),
    }),
  ].join('');
}

/**
 * The text of a `sotto.yaml` with another network to take part in; all else stays as it was written. Whom
 * a bridge asks is written down where it was not, because it would follow from the network.
 */
export function withMembership(text: string, relay: RelayMembership): string {
  const document = parseDocument(text);
  const bridge = document.get('bridge');
  if (isMap(bridge) && !bridge.has('lookup')) {
    bridge.set('lookup', document.has('relay') ? 'relayed' : 'direct');
  }
  document.set('relay', document.createNode({ ...relay }));
  return document.toString({ lineWidth: 0 });
}

function setting(name: string, value: unknown): string {
  return `\n${stringify({ [name]: value }, { lineWidth: 0 })}\n`;
}

function optional(name: string, value: unknown, example: unknown): string {
  if (value !== undefined && value !== false) return setting(name, value);
  return setting(name, example).trim().replace(/^/gm, '#').replace(/^/, '\n').concat('\n\n');
}
