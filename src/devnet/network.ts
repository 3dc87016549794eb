import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import { type Policy, renderPolicy } from '../directory/policy.ts';
import type { Address } from '../io/dial.ts';
import { writeDurably } from '../io/durable-file.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { RELAY_PORT } from '../node/descriptor-publisher.ts';
import { type NodeKeys, openNodeKeys } from '../node/node-keys.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { startPrivateTorNetwork } from '../tor/private-network.ts';
import type { OnionOptions, Tor } from '../tor/tor-process.ts';
import {
  AUTHORITY_PORT,
  type AuthorityPlace,
  foundAuthorities,
  startAuthorities,
} from './authorities.ts';
import { startBlindTarget } from './blind-target.ts';
import { startDelayedPort } from './delayed-port.ts';
import { devnetTimeline } from './devnet-timeline.ts';
import { awaitFirstConsensus, newestConsensus, type SignedConsensus } from './first-consensus.ts';
import { type DevnetNode, startDevnetNode } from './network-node.ts';

export interface DevnetNetworkOptions {
  /** Absolute and private; its owner removes it. */
  readonly directory: string;
  readonly nodes: number;
  /** The Electrum server that answers behind each gateway. */
  readonly target: Address;
  /** What the wallet onion of the first node leads to instead: another Electrum server. */
  readonly walletTarget?: Address;
  /** Of the consensus: how long relays hold a cell at most, and gateways an answer; 0 when absent. */
  readonly mixMs?: number;
  readonly tickMs?: number;
  /** Of the consensus: between two questions of a client about one address. */
  readonly pollMeanS?: number;
  /** Added to every round trip to an onion of a node. */
  readonly delayMs?: number;
  /** Whether nodes keep all they had in hand in a file; authorities then ask for no wallet's addresses. */
  readonly observed?: boolean;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
  readonly onProgress?: (what: string) => void;
}

/** A whole network on one machine: private Tor network, authorities, nodes with a tor each. */
export interface DevnetNetwork extends Running {
  readonly nodes: readonly DevnetNode[];
  /** Of the first node, port 50001: an Electrum server as wallets know it. */
  readonly walletOnion: string;
  readonly policy: Policy;
  readonly policyFile: string;
  /** A tor without onions, for who asks the network. */
  readonly client: Tor;
  /** The newest consensus that a node goes by, and how many authorities signed it. */
  latest(): Promise<SignedConsensus>;
}

export const WALLET_PORT = 50_001;
const AUTHORITIES = 3;
const CELL_TIMEOUT_MS = 30_000;
const POLL_MEAN_S = 14_400;
/** What a process takes of one processor until it is ready, and the onions until they are published. */
const [PROCESS_SECONDS, ONION_SECONDS] = [1, 3];

export async function startDevnetNetwork(options: DevnetNetworkOptions): Promise<DevnetNetwork> {
  const { directory, nodes: count, signal, reaper, onProgress = () => undefined } = options;
  await using starting = new Scope();
  const policyFile = join(directory, 'policy');
  const places = await placesOf(directory, count);
  const { places: authorityPlaces, policy: founded } = await foundAuthorities({
    count: AUTHORITIES,
    directory: join(directory, 'authorities'),
  });
  const bootstrap = places.map(({ onion }) => ({ host: onion, port: RELAY_PORT }));
  const policy = { ...founded, bootstrap };
  await writeDurably(policyFile, renderPolicy(policy));
  const tor = starting.use(
    await startPrivateTorNetwork({ directory: join(directory, 'tor'), signal, reaper, onProgress }),
  );

  onProgress(`starting the tors of ${count} nodes, of the authorities and of a client`);
  const walletSeed = randomBytes(32);
  const wanted = [
    { name: 'client', onions: [] },
    { name: 'authorities', onions: authorityPlaces.map(onionOfAuthority) },
    ...(await torsOfNodes(places, { walletSeed, starting, options })),
  ];
  const tors = await starting.useAll(wanted.map((each) => tor.startTor({ ...each, signal })));
  const [client, torOfAuthorities, ...nodeTors] = tors;
  if (client === undefined || torOfAuthorities === undefined) throw new Error('all tors run');

  onProgress(`starting ${AUTHORITIES} authorities, publishing the onions`);
  const timeline = devnetTimeline(Date.now() / 1000 + startSeconds(AUTHORITIES + count));
  const authorities = starting.use(
    await startAuthorities({
      places: authorityPlaces,
      policyFile,
      socks: torOfAuthorities.socks,
      target:
        options.observed === true
          ? starting.use(await startBlindTarget(options.target))
          : options.target,
      params: new Map([
        ['mix-ms', options.mixMs ?? 0],
        ['tick-ms', options.tickMs ?? 0],
        ['poll-mean-s', options.pollMeanS ?? POLL_MEAN_S],
      ]),
      timeline,
      signal,
      reaper,
    }),
  );
  await Promise.all(
    tors.flatMap((each) => each.onions.map((onion) => each.published(onion, { signal }))),
  );

  onProgress(`starting ${count} nodes`);
  const nodes = await starting.useAll(
    places.map((place, index) => startNode(place, { tor: nodeTors[index], policyFile, options })),
  );
  const failed = firstFailure(tor, ...tors, authorities, ...nodes);
  const listing = { nodes, policy, timeline, clock: Date.now, signal, onProgress };
  await Promise.race([failed, awaitFirstConsensus(listing)]);
  const started = starting.move();
  return {
    nodes,
    walletOnion: onionKeyFromSeed(walletSeed).address,
    client,
    policy,
    policyFile,
    latest: () => newestConsensus(nodes, policy),
    failed,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** From now until the last of so many processes is ready. */
function startSeconds(processes: number): number {
  return ONION_SECONDS + (PROCESS_SECONDS * processes) / availableParallelism();
}

interface Place {
  readonly name: string;
  readonly dataDirectory: string;
  readonly observeFile: string;
  readonly keys: NodeKeys;
  readonly onion: string;
  readonly listen: Address;
}

async function placesOf(directory: string, count: number): Promise<Place[]> {
  const ports = await findFreePorts(count);
  return await Promise.all(
    ports.map(async (port, index) => {
      const name = `node${index + 1}`;
      const dataDirectory = join(directory, name);
      const keys = await openNodeKeys(dataDirectory);
      return {
        name,
        dataDirectory,
        observeFile: join(dataDirectory, 'observed'),
        keys,
        onion: onionKeyFromSeed(keys.onion).address,
        listen: { host: '127.0.0.1', port },
      };
    }),
  );
}

interface NodeStart {
  readonly tor: Tor | undefined;
  readonly policyFile: string;
  readonly options: DevnetNetworkOptions;
}

async function startNode(place: Place, { tor, policyFile, options }: NodeStart) {
  const { dataDirectory, onion, listen, observeFile } = place;
  if (tor === undefined) throw new Error('every node has a tor');
  return await startDevnetNode({
    onion,
    observeFile,
    config: {
      network: 'regtest',
      dataDirectory,
      makeKeys: false,
      listen,
      expectProxyHeader: true,
      target: options.target,
      socks: tor.socks,
      policyFile,
      leave: false,
      family: [],
      epochSeconds: 86_400,
      cellTimeoutMs: CELL_TIMEOUT_MS,
      ...(options.observed === true && { observeFile }),
    },
    signal: options.signal,
    reaper: options.reaper,
  });
}

interface NodeTors {
  readonly walletSeed: Uint8Array;
  readonly starting: Scope;
  readonly options: DevnetNetworkOptions;
}

/** The first one has the wallet onion, too. */
async function torsOfNodes(places: readonly Place[], { walletSeed, starting, options }: NodeTors) {
  const walletTarget = await atDistance(options.walletTarget ?? options.target, options, starting);
  const wallet = onionTo(WALLET_PORT, { seed: walletSeed, target: walletTarget, named: false });
  return await Promise.all(
    places.map(async ({ name, keys, listen }, index) => {
      const target = await atDistance(listen, options, starting);
      const relay = onionTo(RELAY_PORT, { seed: keys.onion, target, named: true });
      return { name, onions: index === 0 ? [relay, wallet] : [relay] };
    }),
  );
}

function onionOfAuthority({ onionSeed, listen }: AuthorityPlace): OnionOptions {
  return onionTo(AUTHORITY_PORT, { seed: onionSeed, target: listen, named: true });
}

interface OnionTarget {
  readonly seed: Uint8Array;
  readonly target: Address;
  /** Whether tor names the circuit of each stream. */
  readonly named: boolean;
}

function onionTo(virtual: number, { seed, target, named }: OnionTarget): OnionOptions {
  const ports = [{ virtual, target: `${target.host}:${target.port}` }];
  return { seed, ports, exportCircuitId: named };
}

/** As far away as the options say. */
async function atDistance(
  to: Address,
  { delayMs = 0 }: DevnetNetworkOptions,
  scope: Scope,
): Promise<Address> {
  if (delayMs === 0) return to;
  return scope.use(await startDelayedPort({ to, roundTripMs: delayMs }));
}
