import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type Devnet, startDevnet } from '../src/devnet/devnet.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { formatAddress } from '../src/io/dial.ts';
import { programPath } from '../src/io/program-path.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { startPrivateTorNetwork } from '../src/tor/private-network.ts';
import { writeTestNetwork } from '../src/tor/test-network-file.ts';
import { torsBelow } from './tor-processes.ts';

const WALLET_PORT = 50_001;
const signal = AbortSignal.timeout(280_000);
const scope = new Scope();
let directory: string;
let devnet: Devnet;
let onion: string;

beforeAll(async () => {
  directory = scope.use(await makeTemporaryDirectory({ megabytes: 50 })).path;
  const place = { host: '127.0.0.1', port: 0, directory: `${directory}/devnet` };
  devnet = scope.use(
    await startDevnet({ chain: 'embedded', ...place, clock: Date.now, log: silent, signal }),
  );
  const network = scope.use(
    await startPrivateTorNetwork({ directory: `${directory}/network`, signal }),
  );
  await writeTestNetwork(`${directory}/network.json`, network.authorities);
  const ports = [{ virtual: WALLET_PORT, target: formatAddress(devnet.electrum) }];
  const server = scope.use(
    await network.startTor({
      name: 'server',
      onions: [{ seed: new Uint8Array(32).fill(3), ports }],
      signal,
    }),
  );
  onion = server.onions[0] ?? '';
  await server.published(onion, { signal });
});

afterAll(async () => {
  await scope[Symbol.asyncDispose]();
});

/** A bridge with a tor of its own that is ready for wallets. */
async function startBridge(state: string): Promise<{ bridge: Child; words: readonly string[] }> {
  const words: string[] = [];
  let isReady = false;
  const bridge = await startChild({
    command: process.execPath,
    args: [
      programPath('cli/main.js'),
      ...['bridge', '--direct', '--network', 'regtest', '--server', onion, '--state', state],
      ...['--listen', '127.0.0.1:0', '--json', '--socks', 'own'],
      ...['--tor-test-network', `${directory}/network.json`],
    ],
    onLine: (line, from) => {
      words.push(line);
      isReady ||= from === 'stdout';
    },
    signal,
    stopTimeoutMs: 20_000,
  });
  const ready = waitUntil(() => isReady || undefined, {
    what: 'the bridge to be ready',
    instead: () => words.join('\n'),
    timeoutMs: 120_000,
    intervalMs: 50,
    signal,
  });
  await Promise.race([ready, bridge.failed]);
  return { bridge, words };
}

test('a bridge with a tor of its own reaches an onion, and takes the tor with it', async () => {
  const state = `${directory}/state`;
  const { bridge, words } = await startBridge(state);
  assert.ok(words.some((line) => line.includes('Tor: its own, at 127.0.0.1:')));
  assert.equal(torsBelow(state).length, 1);
  await bridge[Symbol.asyncDispose]();
  assert.equal(torsBelow(state).length, 0);
});

test('a bridge that was killed leaves no tor, and starts again', async () => {
  const state = `${directory}/state`;
  const { bridge } = await startBridge(state);
  process.kill(bridge.pid, 'SIGKILL');
  await waitUntil(() => torsBelow(state).length === 0 || undefined, {
    what: 'the tor to end',
    timeoutMs: 30_000,
    intervalMs: 50,
    signal,
  });
  const again = await startBridge(state);
  await again.bridge[Symbol.asyncDispose]();
});
