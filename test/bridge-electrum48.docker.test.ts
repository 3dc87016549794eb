import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { type DevnetNetwork, startDevnetNetwork, WALLET_PORT } from '../src/devnet/network.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { type Reaper, startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { startBridgeProcess } from './bridge-process.ts';
import { startElectrum } from './electrum.ts';
import {
  electrumInContainer,
  hasElectrumImage,
  newElectrumTest,
  removeElectrums,
} from './electrum-image.ts';
import { awaitAgreement, payBeforehand, receiveAndSpend, WALLET_SEED } from './electrum-life.ts';

const NODES = 4;
/** So that a test waits for seconds where a person waits for hours. */
const POLL_MEAN_S = 5;

const signal = AbortSignal.timeout(1_500_000);
const scope = new Scope();
let reaper: Reaper;
let directory: string;
let chain: EmbeddedChain;
let network: DevnetNetwork;
let tor: Tor;

beforeAll(async () => {
  if (!hasElectrumImage) return;
  reaper = scope.use(await startReaper());
  directory = scope.use(await makeTemporaryDirectory()).path;
  reaper.watchDirectory(directory);
  chain = scope.use(
    await startEmbeddedChain({ seed: randomBytes(32), clock: Date.now, port: 0, log: silent }),
  );
  await payBeforehand(chain);
  network = scope.use(
    await startDevnetNetwork({
      directory,
      nodes: NODES,
      target: chain.electrum,
      walletTarget: chain.electrum,
      mixMs: 0,
      tickMs: 0,
      pollMeanS: POLL_MEAN_S,
      delayMs: 0,
      observed: false,
      signal,
      reaper,
      onProgress: () => undefined,
    }),
  );
  tor = network.client;
});

afterAll(async () => {
  if (hasElectrumImage) removeElectrums();
  await scope[Symbol.asyncDispose]();
});

/** Restores a wallet with money in it, and lives with it for some blocks. */
async function liveAt(server: Address, proxy?: Address): Promise<void> {
  await using wallet = await startElectrum({
    seed: WALLET_SEED,
    server,
    ...(proxy && { proxy }),
    program: electrumInContainer,
    signal,
  });
  await awaitAgreement(wallet, chain);
  await receiveAndSpend(wallet, chain);
}

async function liveBehindBridge(name: string, way: readonly string[]): Promise<void> {
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const state = `${directory}/${name}`;
  const { socks } = tor;
  await using bridging = new Scope();
  bridging.use(await startBridgeProcess({ way, listen, socks, state, signal, reaper }));
  await liveAt(listen);
}

newElectrumTest('the newest Electrum lives on an onion without a bridge', async () => {
  await liveAt({ host: network.walletOnion, port: WALLET_PORT }, tor.socks);
});

newElectrumTest('it lives behind a bridge that asks one server', async () => {
  const server = formatAddress({ host: network.walletOnion, port: WALLET_PORT });
  await liveBehindBridge('direct', ['--direct', '--network', 'regtest', '--server', server]);
});

newElectrumTest('it lives behind a bridge that asks through relays', async () => {
  await liveBehindBridge('relayed', ['--relayed', '--policy', network.policyFile]);
});
