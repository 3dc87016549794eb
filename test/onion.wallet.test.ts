import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { utf8 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { addressesIn } from '../src/devnet/seen.ts';
import { formatAddress } from '../src/io/dial.ts';
import { makePrivateDirectory, writeDurably } from '../src/io/durable-file.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { type Reaper, startReaper } from '../src/io/reaper.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { newClientKey, renderAuth } from '../src/tor/client-authorization.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { startPrivateTorNetwork } from '../src/tor/private-network.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { startBridgeProcess } from './bridge-process.ts';
import { hasElectrum, startElectrum, walletTest } from './electrum.ts';
import {
  addressesOf,
  awaitAgreement,
  payBeforehand,
  receive,
  receiveAndSpend,
  WALLET_SEED,
} from './electrum-life.ts';

const PORT = 50_001;
const signal = AbortSignal.timeout(880_000);
const scope = new Scope();
const seed = randomBytes(32);
const onion = onionKeyFromSeed(seed).address;
const server = { host: onion, port: PORT };
const key = newClientKey();
let reaper: Reaper;
let directory: string;
let chain: EmbeddedChain;
/** Of a machine that has the key to the onion, and the server's own, which has none. */
let device: Tor;
let stranger: Tor;

beforeAll(async () => {
  if (!hasElectrum) return;
  reaper = scope.use(await startReaper());
  directory = scope.use(await makeTemporaryDirectory()).path;
  reaper.watchDirectory(directory);
  chain = scope.use(
    await startEmbeddedChain({ seed: randomBytes(32), clock: Date.now, port: 0, log: silent }),
  );
  await payBeforehand(chain);
  const network = scope.use(await startPrivateTorNetwork({ directory, signal, reaper }));
  const clients = `${directory}/server/${onion}/authorized_clients`;
  await makePrivateDirectory(clients);
  await writeDurably(`${clients}/device.auth`, utf8(renderAuth(key.publicKey)));
  const ports = [{ virtual: PORT, target: formatAddress(chain.electrum) }];
  const access = [{ onion, privateKey: key.privateKey }];
  const tors = await scope.useAll([
    network.startTor({ name: 'server', onions: [{ seed, ports }], signal }),
    network.startTor({ name: 'device', onions: [], access, signal }),
  ]);
  [stranger, device] = tors as [Tor, Tor];
  await stranger.published(onion, { signal });
});

afterAll(() => scope[Symbol.asyncDispose]());

walletTest('the onion asks for a key', async () => {
  const dialling = socksDial(stranger.socks)(server, { signal, isolation: 'stranger' });
  await assert.rejects(dialling, /key/);
});

walletTest(
  'Electrum is restored, receives, spends and follows a reorganisation on an onion that asks for a key',
  async () => {
    await using wallet = await startElectrum({
      seed: WALLET_SEED,
      server,
      proxy: device.socks,
      signal,
    });
    await awaitAgreement(wallet, chain);
    await receiveAndSpend(wallet, chain);
  },
);

walletTest('so it does with a bridge between, which is killed and started again', async () => {
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const options = {
    way: ['--direct', '--network', 'regtest', '--server', formatAddress(server)],
    listen,
    socks: device.socks,
    state: `${directory}/bridge`,
    signal,
    reaper,
  };
  await using bridge = await startBridgeProcess(options);
  await using wallet = await startElectrum({ seed: WALLET_SEED, server: listen, signal });
  await awaitAgreement(wallet, chain);
  await receiveAndSpend(wallet, chain);

  await bridge.kill();
  await chain.mine(1);
  await using again = await startBridgeProcess(options);
  await receive(wallet, chain);
  const words = Buffer.from([...bridge.words, ...again.words].join('\n'));
  assert.equal(addressesIn([words], await addressesOf(wallet)), 0);
});
