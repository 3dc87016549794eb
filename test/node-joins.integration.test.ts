import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import type { NodeConfig } from '../src/config/node-config.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import type { Consensus } from '../src/directory/consensus.ts';
import type { Address } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { openNodeKeys } from '../src/node/node-keys.ts';
import { readPublication } from '../src/node/publication-file.ts';
import { startNode } from '../src/node/start-node.ts';
import { probeListed } from '../src/stack/readiness/listed-probe.ts';
import type { ListedObservation } from '../src/stack/readiness/observations.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { AuthorityProcesses } from './authority-processes.ts';
import { startOnionMap } from './onion-map.ts';

/** A slot every 12 s. */
const TIMELINE = { periodSeconds: 12, validSeconds: 120, voteSeconds: 5, signSeconds: 2 };
/** Of a node that publishes just after a slot has drawn its line. */
const TWO_SLOTS_MS = 60_000;
const { signal } = new AbortController();

let scope: Scope;
let directory: string;
/** Where the onions of this network lead to. */
let ports: Map<string, number>;
let socks: Address;

beforeEach(async () => {
  scope = new Scope();
  directory = scope.use(await makeTemporaryDirectory()).path;
  ports = new Map();
  socks = scope.use(await startOnionMap(ports));
});
afterEach(() => scope[Symbol.asyncDispose]());

async function startAuthorities(count: number, probeSeconds?: number): Promise<AuthorityProcesses> {
  const authorities = await AuthorityProcesses.found({
    count,
    directory,
    timeline: TIMELINE,
    expectProxyHeader: false,
    probeSeconds,
    connect(places) {
      for (const { onion, listen } of places) ports.set(onion.host, listen.port);
      return Promise.resolve(places.map(() => socks));
    },
  });
  scope.use(authorities);
  await Promise.all(authorities.all.map((each) => each.start()));
  return authorities;
}

async function configOf(name: string, target: Address): Promise<NodeConfig> {
  const [port = 0] = await findFreePorts(1);
  const dataDirectory = join(directory, name);
  const { onion } = await openNodeKeys(dataDirectory);
  ports.set(onionKeyFromSeed(onion).address, port);
  return {
    network: 'regtest',
    dataDirectory,
    makeKeys: false,
    listen: { host: '127.0.0.1', port },
    expectProxyHeader: false,
    target,
    socks,
    policyFile: join(directory, 'policy'),
    leave: false,
    family: [],
    epochSeconds: 86_400,
    cellTimeoutMs: 1000,
  };
}

const start = (config: NodeConfig) =>
  startNode(config, { clock: Date.now, log: silent, signal, software: 'sotto/test' });

/** What the node itself sees of its place in the network, once it is so. */
async function listing(
  { dataDirectory }: NodeConfig,
  isSo: (seen: ListedObservation) => boolean,
): Promise<ListedObservation> {
  const options = { policyFile: join(directory, 'policy'), nodeDirectory: dataDirectory };
  return await waitUntil(
    async () => {
      const seen = await probeListed(options);
      return isSo(seen) ? seen : undefined;
    },
    { what: 'the listing', timeoutMs: TWO_SLOTS_MS, intervalMs: 200, signal },
  );
}

test('a node that publishes is listed, follows the directory by itself, and is gone after it leaves', async () => {
  const authorities = await startAuthorities(3);
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  chain.mine(3);
  const target = { chain, host: '127.0.0.1', port: 0, log: silent };
  const server = scope.use(await startChainServer(target));
  const [staying, leaving] = await Promise.all(
    ['staying', 'leaving'].map((name) => configOf(name, server)),
  );
  assert.ok(staying && leaving);
  const first = scope.use(await start(staying));
  {
    await using second = await start(leaving);
    const listed = await listing(leaving, ({ consensus }) => consensus?.node !== undefined);
    assert.deepEqual(
      listed.answers.map(({ verdict }) => verdict),
      ['taken', 'taken', 'taken'],
    );
    const both = await authorities.agreed(authorities.all, {
      after: 0,
      nodes: 2,
      dial: socksDial(socks),
    });
    const ids = [first.nodeId, second.nodeId].sort();
    assert.deepEqual(
      both.nodes.map(({ nodeId }) => nodeId),
      ids,
    );
  }
  scope.use(await start({ ...leaving, leave: true }));
  const gone = await listing(
    leaving,
    ({ consensus }) => consensus !== undefined && consensus.node === undefined,
  );
  assert.ok(gone.consensus);
  await listing(staying, ({ consensus }) => consensus?.node?.share === 1);
});

test('an authority that was away is told when it comes back', async () => {
  const authorities = await startAuthorities(3);
  const [away] = authorities.all;
  assert.ok(away);
  await away.end('SIGKILL');
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  const target = { chain, host: '127.0.0.1', port: 0, log: silent };
  const server = scope.use(await startChainServer(target));
  const config = await configOf('node', server);
  scope.use(await start(config));
  const verdicts = async (): Promise<readonly string[]> =>
    ((await readPublication(config.dataDirectory))?.answers ?? []).map(({ verdict }) => verdict);
  const until = (wanted: readonly string[]): Promise<unknown> =>
    waitUntil(async () => [...(await verdicts())].sort().join() === wanted.join() || undefined, {
      what: wanted.join(),
      timeoutMs: 40_000,
      intervalMs: 100,
      signal,
    });
  await until(['taken', 'taken', 'unreached']);
  await away.start();
  await until(['taken', 'taken', 'taken']);
});

test('a gateway runs when it answers right through others, and one that is on another chain does not', async () => {
  const authorities = await startAuthorities(3, 2);
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  chain.mine(3);
  const target = { chain, host: '127.0.0.1', port: 0, log: silent };
  const elsewhere = scope.use(await startChainServer(target));
  const honest = ['one', 'two', 'three', 'four'].map((name) => configOf(name, authorities.target));
  for (const config of await Promise.all(honest)) scope.use(await start(config));
  const { nodeId } = scope.use(await start(await configOf('astray', elsewhere)));
  const dial = socksDial(socks);
  const running = (consensus: Consensus): readonly boolean[] =>
    consensus.nodes.map(({ flags }) => flags.has('Running'));
  let newest = await authorities.agreed(authorities.all, { after: 0, nodes: 5, dial });
  const others = (): readonly boolean[] => newest.nodes.map((node) => node.nodeId !== nodeId);
  while (running(newest).join() !== others().join()) {
    const after = newest.epoch;
    newest = await authorities.agreed(authorities.all, { after, nodes: 5, dial });
  }
}, 180_000);
