import { afterAll, beforeAll } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { WALLET_PORT } from '../src/devnet/network.ts';
import { type Address, formatAddress } from '../src/io/dial.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { startBridgeProcess } from './bridge-process.ts';
import { startElectrum } from './electrum.ts';
import {
  electrumInContainer,
  hasElectrumImage,
  newElectrumTest,
  removeElectrums,
} from './electrum-image.ts';
import { awaitAgreement, receiveAndSpend, WALLET_SEED } from './electrum-life.ts';
import { startWalletNetwork, type WalletNetwork } from './wallet-network.ts';

const NODES = 4;
/** So that a test waits for seconds where a person waits for hours. */
const POLL_MEAN_S = 5;

const signal = AbortSignal.timeout(1_500_000);
const scope = new Scope();
let stage: WalletNetwork;

beforeAll(async () => {
  if (!hasElectrumImage) return;
  stage = scope.use(await startWalletNetwork({ nodes: NODES, pollMeanS: POLL_MEAN_S, signal }));
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
  await awaitAgreement(wallet, stage.chain);
  await receiveAndSpend(wallet, stage.chain);
}

async function liveBehindBridge(name: string, way: readonly string[]): Promise<void> {
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const { directory, network, reaper } = stage;
  const state = `${directory}/${name}`;
  const { socks } = network.client;
  await using bridging = new Scope();
  bridging.use(await startBridgeProcess({ way, listen, socks, state, signal, reaper }));
  await liveAt(listen);
}

newElectrumTest('the newest Electrum lives on an onion without a bridge', async () => {
  const { walletOnion, client } = stage.network;
  await liveAt({ host: walletOnion, port: WALLET_PORT }, client.socks);
});

newElectrumTest('it lives behind a bridge that asks one server', async () => {
  const server = formatAddress({ host: stage.network.walletOnion, port: WALLET_PORT });
  await liveBehindBridge('direct', ['--direct', '--network', 'regtest', '--server', server]);
});

newElectrumTest('it lives behind a bridge that asks through relays', async () => {
  await liveBehindBridge('relayed', ['--relayed', '--policy', stage.network.policyFile]);
});
