import type { StackConfig } from '../config/stack-config.ts';
import type { Address } from '../io/dial.ts';
import { type EdgeName, hostOn } from './edges.ts';
import type { ServiceName } from './service.ts';

/** Who opens connections to the target's Electrum port. */
export type TargetClient = 'tor' | 'node' | 'bridge' | 'guard' | 'lan';

/** Who asks tor for onions. */
export type SocksUser = 'bitcoind' | 'node' | 'bridge';

/** Who opens connections to the bridge. */
export type BridgeClient = 'tor' | 'lan';

/** Where each listener of the plan is, as those see it who dial it. */
export interface Endpoints {
  /** tor's SOCKS ports, one for each user. Onion addresses only. */
  readonly socks: Readonly<Record<SocksUser, Address>>;
  readonly bitcoind: {
    readonly rpc: Address;
    /** Where tor delivers the streams of the p2p onion. */
    readonly onion: Address;
    /** Blocks for electrs before 0.12, and for nobody else. */
    readonly p2p: Address;
    /** New blocks at once, for Fulcrum. */
    readonly zmq: Address;
  };
  /** Where the target listens: with Docker on all its networks. */
  readonly targetListen: Address;
  readonly target: Readonly<Record<TargetClient, Address>>;
  /** Where electrs tells its figures, to its own machine or container: it always does. */
  readonly metrics: Address;
  /** Where tor delivers the streams of the relay onion. */
  readonly node: Address;
  /** Where the bridge listens: with Docker on all its networks. */
  readonly bridgeListen: Address;
  readonly bridge: Readonly<Record<BridgeClient, Address>>;
  /** Where tor delivers the streams of an open wallet onion. */
  readonly guard: Address;
  /** Where the local network comes in, `expose_lan`; with Docker, where the engine brings it. */
  readonly lan: Address;
  /** The addresses that connections to bitcoind's RPC, and to the target, come from. */
  readonly sources: {
    readonly target: string;
    readonly targetClients: Readonly<Record<TargetClient, string>>;
  };
}

interface Listener {
  readonly service: ServiceName;
  readonly edge: EdgeName;
  readonly port: number;
  /** In the process backend, from `first_port` on. */
  readonly offset: number;
}

const LISTENERS = {
  socksOfBitcoind: { service: 'tor', edge: 'tor_bitcoind', port: 9050, offset: 0 },
  socksOfNode: { service: 'tor', edge: 'tor_node', port: 9050, offset: 1 },
  rpc: { service: 'bitcoind', edge: 'bitcoind_target', port: 8332, offset: 2 },
  onion: { service: 'bitcoind', edge: 'tor_bitcoind', port: 8334, offset: 3 },
  p2p: { service: 'bitcoind', edge: 'bitcoind_target', port: 8333, offset: 4 },
  zmq: { service: 'bitcoind', edge: 'bitcoind_target', port: 8433, offset: 5 },
  target: { service: 'target', edge: 'tor_target', port: 50_001, offset: 6 },
  node: { service: 'node', edge: 'tor_node', port: 50_010, offset: 7 },
  guard: { service: 'guard', edge: 'tor_guard', port: 50_001, offset: 8 },
  lan: { service: 'lan', edge: 'lan', port: 50_001, offset: 9 },
  metrics: { service: 'target', edge: 'bitcoind_target', port: 4224, offset: 10 },
  socksOfBridge: { service: 'tor', edge: 'tor_bridge', port: 9050, offset: 11 },
  bridge: { service: 'bridge', edge: 'tor_bridge', port: 50_001, offset: 12 },
} as const satisfies Record<string, Listener>;

const TARGET_EDGES: Readonly<Record<TargetClient, EdgeName>> = {
  tor: 'tor_target',
  node: 'target_node',
  bridge: 'bridge_target',
  guard: 'guard_target',
  lan: 'lan_target',
};

const LOOPBACK = '127.0.0.1';
/** All networks of a container, every one of which is internal. */
const EVERYWHERE = '0.0.0.0';

export function endpointsOf(config: StackConfig): Endpoints {
  const { docker, process, exposeLan } = config;
  const inDocker = config.backend === 'docker';
  const host = (edge: EdgeName, service: ServiceName): string =>
    inDocker ? hostOn(docker.networkPrefix, edge, service) : LOOPBACK;
  const at = ({ service, edge, port, offset }: Listener): Address => ({
    host: host(edge, service),
    port: inDocker ? port : process.firstPort + offset,
  });
  const targetFor = (client: TargetClient): Address =>
    at({ ...LISTENERS.target, edge: TARGET_EDGES[client] });
  const sourceOf = (client: TargetClient): string => host(TARGET_EDGES[client], client);
  const listensAt = (listener: Listener): Address => ({
    ...at(listener),
    ...(inDocker && { host: EVERYWHERE }),
  });
  return {
    socks: {
      bitcoind: at(LISTENERS.socksOfBitcoind),
      node: at(LISTENERS.socksOfNode),
      bridge: at(LISTENERS.socksOfBridge),
    },
    bitcoind: {
      rpc: at(LISTENERS.rpc),
      onion: at(LISTENERS.onion),
      p2p: at(LISTENERS.p2p),
      zmq: at(LISTENERS.zmq),
    },
    targetListen: listensAt(LISTENERS.target),
    target: {
      tor: targetFor('tor'),
      node: targetFor('node'),
      bridge: targetFor('bridge'),
      guard: targetFor('guard'),
      lan: targetFor('lan'),
    },
    metrics: { ...at(LISTENERS.metrics), host: LOOPBACK },
    node: at(LISTENERS.node),
    bridgeListen: listensAt(LISTENERS.bridge),
    bridge: {
      tor: at(LISTENERS.bridge),
      lan: at({ ...LISTENERS.bridge, edge: 'lan_bridge' }),
    },
    guard: at(LISTENERS.guard),
    lan: inDocker ? at(LISTENERS.lan) : (exposeLan ?? at(LISTENERS.lan)),
    sources: {
      target: host('bitcoind_target', 'target'),
      targetClients: {
        tor: sourceOf('tor'),
        node: sourceOf('node'),
        bridge: sourceOf('bridge'),
        guard: sourceOf('guard'),
        lan: sourceOf('lan'),
      },
    },
  };
}
