import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { firstFailure, type Running, Scope } from '../base/lifecycle.ts';
import type { Logger } from '../base/log.ts';
import { type Policy, renderPolicy } from '../directory/policy.ts';
import type { Address } from '../io/dial.ts';
import { readIfPresent, writeDurably } from '../io/durable-file.ts';
import { findFreePorts } from '../io/free-ports.ts';
import type { Reaper } from '../io/reaper.ts';
import { RELAY_PORT } from '../node/descriptor-publisher.ts';
import { type NodeKeys, openNodeKeys } from '../node/node-keys.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { startPrivateTorNetwork } from '../tor/private-network.ts';
import type { OnionOptions, Tor } from '../tor/tor-process.ts';
import { startAuthorities } from './authorities.ts';
import { type DirectoryRounds, startDirectoryRounds } from './directory-rounds.ts';
import { startDelayedPort } from './delayed-port.ts';
import { type DevnetNode, startDevnetNode } from './network-node.ts';

export interface DevnetNetworkOptions {
  /** Absolute and private; its owner removes it. */
  readonly directory: string;
  readonly nodes: number;
  /** The Electrum server that answers behind each gateway. */
  readonly target: Address;
  /** What the wallet onion of the first node leads to: its own Electrum server. */
  readonly walletTarget: Address;
  /** Of the consensus: how long relays hold a cell at most, and gateways an answer. */
  readonly mixMs: number;
  readonly tickMs: number;
  /** Of the consensus: between two questions of a client about one address. */
  readonly pollMeanS: number;
  /** Added to every round trip to an onion. */
  readonly delayMs: number;
  /** Whether nodes keep all they had in hand in a file. */
  readonly observed: boolean;
  readonly signal: AbortSignal;
  readonly reaper: Reaper;
  readonly log: Logger;
  readonly onProgress: (what: string) => void;
}

/** A whole network on one machine: private Tor network, authorities, nodes with a tor each. */
export interface DevnetNetwork extends Running {
  readonly nodes: readonly DevnetNode[];
  /** Of the first node, port 50001: an Electrum server as wallets know it. */
  readonly walletOnion: string;
  readonly policy: Policy;
  readonly policyFile: string;
  /** The newest consensus, and how many authorities signed it. */
  latest(): Pick<DirectoryRounds, 'consensus' | 'signatures'>;
  /** Starts a client's own tor. */
  startClientTor(name: string, signal: AbortSignal): Promise<Tor>;
}

export const WALLET_PORT = 50_001;
const AUTHORITIES = 3;
const CELL_TIMEOUT_MS = 30_000;

export async function startDevnetNetwork(options: DevnetNetworkOptions): Promise<DevnetNetwork> {
  const { directory, nodes: count, signal, reaper, log, onProgress } = options;
  await using starting = new Scope();
  const policyFile = join(directory, 'policy');
  const consensusFile = join(directory, 'consensus');
  const places = await placesOf(directory, count);

  const startingAuthorities = startAuthorities({
    count: AUTHORITIES,
    directory: join(directory, 'authorities'),
    network: 'regtest',
    signal,
    reaper,
  });
  const startingTor = startPrivateTorNetwork({
    directory: join(directory, 'tor'),
    signal,
    reaper,
    onProgress,
  });
  await starting.useAll<AsyncDisposable>([startingAuthorities, startingTor]);
  const [authorities, tor] = await Promise.all([startingAuthorities, startingTor]);
  const bootstrap = places.map(({ onion }) => ({ host: onion, port: RELAY_PORT }));
  const policy = { ...authorities.policy, bootstrap };
  await writeDurably(policyFile, renderPolicy(policy));

  onProgress(`starting ${count} nodes, each with its own tor`);
  const walletSeed = randomBytes(32);
  const walletTarget = await atDistance(options.walletTarget, options, starting);
  const tors = await starting.useAll(
    places.map(async ({ name, keys, listen }, index) => {
      const relayTarget = await atDistance(listen, options, starting);
      const onions = [onionTo(RELAY_PORT, { seed: keys.onion, target: relayTarget, named: true })];
      if (index === 0) {
        onions.push(onionTo(WALLET_PORT, { seed: walletSeed, target: walletTarget, named: false }));
      }
      return await tor.startTor({ name, onions, signal });
    }),
  );
  const nodes = await starting.useAll(
    places.map(async ({ dataDirectory, onion, listen, observeFile }, index) => {
      const socks = tors[index]?.socks;
      if (socks === undefined) throw new Error('every node has a tor');
      return await startDevnetNode({
        onion,
        observeFile,
        config: {
          network: 'regtest',
          dataDirectory,
          listen,
          expectProxyHeader: true,
          target: options.target,
          socks,
          policyFile,
          consensusFile,
          leave: false,
          family: [],
          epochSeconds: 86_400,
          cellTimeoutMs: CELL_TIMEOUT_MS,
          ...(options.observed && { observeFile }),
        },
        signal,
        reaper,
      });
    }),
  );

  onProgress('signing the consensus');
  const rounds: DirectoryRounds = starting.use(
    await startDirectoryRounds({
      authorities,
      policy,
      consensusFile,
      descriptors: () => Promise.all(places.map(readDescriptor)),
      params: new Map([
        ['mix-ms', options.mixMs],
        ['tick-ms', options.tickMs],
        ['poll-mean-s', options.pollMeanS],
      ]),
      clock: Date.now,
      onError: (error) => {
        log.error('the consensus cannot be renewed', { reason: messageOf(error) });
      },
    }),
  );

  onProgress('publishing the onions');
  await Promise.all(
    tors.flatMap((each) => each.onions.map((onion) => each.published(onion, { signal }))),
  );
  const started = starting.move();
  return {
    nodes,
    walletOnion: onionKeyFromSeed(walletSeed).address,
    policy,
    policyFile,
    latest: () => rounds,
    startClientTor: (name, starting) => tor.startTor({ name, onions: [], signal: starting }),
    failed: firstFailure(tor, ...tors, ...nodes),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
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

async function readDescriptor({ dataDirectory }: Place): Promise<string> {
  const note = await readIfPresent(join(dataDirectory, 'descriptor'));
  if (note === undefined) throw new Error('a node that is ready has written its descriptor');
  return fromUtf8(note);
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
  { delayMs }: DevnetNetworkOptions,
  scope: Scope,
): Promise<Address> {
  if (delayMs === 0) return to;
  return scope.use(await startDelayedPort({ to, roundTripMs: delayMs }));
}
