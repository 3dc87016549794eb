import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import type { EmbeddedChain } from '../src/devnet/embedded-chain.ts';
import type { DevnetNetwork } from '../src/devnet/network.ts';
import type { DevnetNode } from '../src/devnet/network-node.ts';
import { addressesIn, type AddressMarks, seenByRoles } from '../src/devnet/seen.ts';
import type { NodeId } from '../src/directory/node-id.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { type BridgeProcess, startBridgeProcess } from './bridge-process.ts';
import { type Electrum, hasElectrum, startElectrum, walletTest } from './electrum.ts';
import {
  addressesOf,
  awaitAgreement,
  awaitView,
  receiveAndSpend,
  WALLET_SEED,
} from './electrum-life.ts';
import { startWalletNetwork } from './wallet-network.ts';

const NODES = 6;
/** So that a test waits for seconds where a person waits for hours. */
const POLL_MEAN_S = 8;

const { signal } = new AbortController();
const scope = new Scope();
let chain: EmbeddedChain;
let network: DevnetNetwork;
let wallet: Electrum;
let bridge: BridgeProcess;
let startBridge: () => Promise<BridgeProcess>;

beforeAll(async () => {
  if (!hasElectrum) return;
  const started = scope.use(
    await startWalletNetwork({ nodes: NODES, pollMeanS: POLL_MEAN_S, observed: true, signal }),
  );
  const { directory, reaper } = started;
  ({ chain, network } = started);
  const { socks } = network.client;
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const way = ['--relayed', '--policy', network.policyFile];
  const state = `${directory}/bridge`;
  startBridge = async () =>
    scope.use(await startBridgeProcess({ way, listen, socks, state, signal, reaper }));
  bridge = await startBridge();
  wallet = scope.use(await startElectrum({ seed: WALLET_SEED, server: listen, signal }));
});

afterAll(() => scope[Symbol.asyncDispose]());

/** The wallet's addresses that the node was asked about as a gateway, and the others. */
async function addressesAt(node: DevnetNode): Promise<[AddressMarks[], AddressMarks[]]> {
  const observed = await readFile(node.observeFile, 'utf8');
  const addresses = await addressesOf(wallet);
  const isThere = (address: AddressMarks): boolean =>
    seenByRoles(observed, [address]).gateway.addresses > 0;
  return [addresses.filter(isThere), addresses.filter((address) => !isThere(address))];
}

/** Takes the node away, pays to somebody it has nothing to do with, and then to whom it answers for. */
async function liveWithout(node: DevnetNode): Promise<void> {
  const [there, [elsewhere]] = await addressesAt(node);
  assert.ok(elsewhere);
  await node.stop();
  await chain.pay(elsewhere.address, 10_000n);
  await chain.mine(1);
  // A new address of the wallet may be the gone node's to answer for, and has to wait for it.
  await awaitView(wallet, chain);
  for (const { address } of there.slice(0, 1)) await chain.pay(address, 20_000n);
  await node.start(signal);
  await awaitAgreement(wallet, chain);
}

function nodeOf(id: NodeId | undefined): DevnetNode {
  const node = network.nodes.find(({ nodeId }) => nodeId === id);
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
}

walletTest('Electrum shows through relays all that the chain has for its seed', async () => {
  await awaitAgreement(wallet, chain);
});

walletTest('each address is known to one gateway, and none to a relay', async () => {
  const addresses = await addressesOf(wallet);
  const seen = await Promise.all(
    network.nodes.map(async ({ observeFile }) =>
      seenByRoles(await readFile(observeFile, 'utf8'), addresses),
    ),
  );
  const counts = seen.map(({ gateway }) => gateway.addresses);
  const total = counts.reduce((sum, count) => sum + count, 0);
  assert.equal(total, addresses.length);
  assert.ok(Math.max(...counts) <= 0.6 * total, `of ${total}: ${counts.join(', ')}`);
  assert.deepEqual(
    seen.map(({ relay }) => relay.addresses),
    seen.map(() => 0),
  );
  assert.ok(seen.some(({ relay }) => relay.cells > 0));
});

walletTest('it receives, spends, and follows a reorganisation', async () => {
  await receiveAndSpend(wallet, chain);
});

walletTest('it goes on when the bridge is killed and started again', async () => {
  await bridge.kill();
  await chain.mine(1);
  bridge = await startBridge();
  await awaitAgreement(wallet, chain);
});

walletTest('it goes on without a gateway, and sees the rest when that is back', async () => {
  const { gateways, relays } = (await bridge.status()).exposure;
  const isRelay = (id: string): boolean => relays.some(({ nodeId }) => nodeId === id);
  const gone = gateways.find(({ name }) => !isRelay(name)) ?? gateways[0];
  await liveWithout(nodeOf(gone?.name));
});

walletTest('it goes on without a relay', async () => {
  const { relays } = (await bridge.status()).exposure;
  const [busiest] = relays.toSorted((a, b) => b.addresses - a.addresses);
  await liveWithout(nodeOf(busiest?.nodeId));
});

walletTest('no address is in what the bridge has printed', async () => {
  const words = Buffer.from(bridge.words.join('\n'));
  assert.equal(addressesIn([words], await addressesOf(wallet)), 0);
});
