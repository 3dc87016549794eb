import type { Network } from './networks.ts';
import { INDEXER_RPCS, STATUS_RPCS } from './rpc-rights.ts';

/** A numeric address, or an onion: bitcoind asks no resolver. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface BitcoinConfSettings {
  readonly network: Network;
  /** tor's SOCKS port: the only way out. */
  readonly proxy: Endpoint;
  readonly onion: {
    /** Where tor delivers the streams of the p2p onion: one concrete address, never 0.0.0.0. */
    readonly bind: Endpoint;
    /** The p2p onion and its port, as told to peers: without a port bitcoind tells that of a bind. */
    readonly advertise: Endpoint;
  };
  readonly rpc: {
    readonly bind: Endpoint;
    /** Absolute. */
    readonly cookieFile: string;
    readonly target: { readonly host: string; readonly user: RpcAuth };
  };
  /** What Fulcrum needs, or electrs 0.11. */
  readonly indexer:
    | { readonly kind: 'fulcrum'; readonly zmq: Endpoint }
    | { readonly kind: 'electrs'; readonly p2p: Endpoint };
  readonly dbcacheMiB: number;
}

/** A user of the RPC by the hash of its password (`rpcauth`). */
export interface RpcAuth {
  readonly name: string;
  /** Hexadecimal. */
  readonly salt: string;
  /** HMAC-SHA-256 of the password under the text of the salt, hexadecimal. */
  readonly hmac: string;
}

/** Their names in bitcoin.conf. */
const CHAINS: Readonly<Record<Network, string>> = {
  mainnet: 'main',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
};

const LOOPBACK = '127.0.0.1';
/** A hundred years: a chain that nobody mines on is not taken for one that is still downloading. */
const ANY_AGE_SECONDS = 3_153_600_000;

/** bitcoin.conf of a node that reaches nothing but tor, and whose peers are all onions. */
export function renderBitcoinConf(settings: BitcoinConfSettings): string {
  const { network } = settings;
  const lines = [
    `chain=${CHAINS[network]}`,
    'allowignoredconf=1',
    'nosettings=1',
    'server=1',
    `dbcache=${settings.dbcacheMiB}`,
    'maxmempool=300',
    'prune=0',
    ...isolationLines(settings),
    ...(network === 'regtest'
      ? [`maxtipage=${ANY_AGE_SECONDS}`, 'fallbackfee=0.00002']
      : ['privatebroadcast=1', 'disablewallet=1']),
    ...(settings.indexer.kind === 'fulcrum' ? ['txindex=1'] : []),
    'printtoconsole=1',
    'nodebuglogfile=1',
    // Binds and ports count only in the section of their network.
    `[${CHAINS[network]}]`,
    ...listenLines(settings),
    ...rpcLines(settings),
  ];
  return `${lines.join('\n')}\n`;
}

function isolationLines({ proxy, onion }: BitcoinConfSettings): readonly string[] {
  return [
    `proxy=${text(proxy)}`,
    'proxyrandomize=1',
    'onlynet=onion',
    'listen=1',
    'listenonion=0',
    `externalip=${text(onion.advertise)}`,
    'discover=0',
    'dns=0',
    'dnsseed=0',
    'fixedseeds=1',
    'natpmp=0',
  ];
}

function listenLines({ onion, indexer, rpc }: BitcoinConfSettings): readonly string[] {
  const own = [`bind=${text(onion.bind)}=onion`];
  return indexer.kind === 'electrs'
    ? [...own, `bind=${text(indexer.p2p)}`, `whitelist=download@${rpc.target.host}`]
    : [...own, `zmqpubhashblock=tcp://${text(indexer.zmq)}`];
}

function rpcLines({ rpc, indexer, network }: BitcoinConfSettings): readonly string[] {
  const { bind, cookieFile, target } = rpc;
  const { name, salt, hmac } = target.user;
  const binds = [...new Set([LOOPBACK, bind.host])];
  return [
    ...binds.map((host) => `rpcbind=${host}:${bind.port}`),
    `rpcport=${bind.port}`,
    `rpcallowip=${target.host}`,
    `rpccookiefile=${cookieFile}`,
    `rpcauth=${name}:${salt}$${hmac}`,
    `rpcwhitelist=${name}:${INDEXER_RPCS[indexer.kind].join(',')}`,
    network === 'regtest'
      ? 'rpcwhitelistdefault=0'
      : `rpcwhitelist=__cookie__:${STATUS_RPCS.join(',')}`,
  ];
}

function text({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
