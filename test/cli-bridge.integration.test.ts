import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { bridgeStatusText } from '../src/cli/bridge-status-view.ts';
import { type Devnet, startDevnet } from '../src/devnet/devnet.ts';
import { startElectrumClient } from '../src/electrum/client.ts';
import { formatAddress, parseAddress } from '../src/io/dial.ts';
import { listenTcp } from '../src/io/listen.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { programPath } from '../src/io/program-path.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { newClientKey, renderAuthPrivate } from '../src/tor/client-authorization.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';

const signal = AbortSignal.timeout(300_000);
const scope = new Scope();
const { address: ONION } = onionKeyFromSeed(new Uint8Array(32).fill(1));
const ANY = ['--listen', '127.0.0.1:0'];
const USED = 'ab'.repeat(32);
let directory: string;
let devnet: Devnet;
let direct: readonly string[];

beforeAll(async () => {
  directory = scope.use(await makeTemporaryDirectory()).path;
  const place = { host: '127.0.0.1', port: 0, directory: join(directory, 'devnet') };
  devnet = scope.use(
    await startDevnet({ chain: 'embedded', ...place, clock: Date.now, log: silent, signal }),
  );
  const server = formatAddress(devnet.electrum);
  direct = ['bridge', '--direct', '--network', 'regtest', '--server', server, ...ANY];
});

afterAll(async () => {
  await scope[Symbol.asyncDispose]();
});

interface Outcome {
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** Resolves with its first line, or when it has ended. */
  readonly ready: Promise<string>;
}

function start(args: readonly string[], cwd = directory): Run {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('SOTTO_'));
  const child = spawn(process.execPath, [programPath('cli/main.js'), ...args], {
    cwd,
    env: { ...Object.fromEntries(env), XDG_DATA_HOME: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outcome = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code, ended], stdout, stderr]): Outcome => ({
      exit: (code ?? ended) as number | string,
      stdout,
      stderr,
    }),
  );
  const line = once(child.stdout, 'data').then(([chunk]) => String(chunk));
  return { child, outcome, ready: Promise.race([line, outcome.then(({ stderr }) => stderr)]) };
}

async function sotto(...args: readonly string[]): Promise<Outcome> {
  return await start(args).outcome;
}

/** A bridge that wallets can come to, which is killed in the end unless it has ended. */
async function startBridge(
  state: string,
  ...more: readonly string[]
): Promise<Run & AsyncDisposable & { readonly electrum: string }> {
  const run = start([...direct, '--state', state, '--json', ...more]);
  const { electrum } = JSON.parse(await run.ready) as { electrum: string };
  return {
    ...run,
    electrum,
    async [Symbol.asyncDispose]() {
      run.child.kill('SIGKILL');
      await run.outcome;
    },
  };
}

async function subscribe(electrum: string): Promise<void> {
  const address = parseAddress(electrum);
  await using wallet = await startElectrumClient({
    dial: (dialing) => loopbackDial(address, { signal: dialing, isolation: '' }),
    clientName: 'wallet',
    timeoutMs: 30_000,
    log: silent,
    signal,
  });
  await wallet.call('blockchain.scripthash.subscribe', { scripthash: USED }, { signal });
}

const BAD_OPTIONS: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [['--listen', 'localhost:50001'], /Expected a numeric address and a port/],
  [['--listen', '127.0.0.1:65536'], /Expected a numeric address and a port/],
  [['--direct', '--relayed'], /cannot be used with option/],
  [['--direct', '--schedule', 'fast'], /cannot be used with option/],
  [['--relayed', '--device-key', 'f'], /cannot be used with option/],
  [['--schedule', 'sometimes'], /Allowed choices are steady, fast/],
  [['--socks', 'tor'], /It is not host:port/],
  [['--window-ms', '-1'], /Expected a whole number from 0 to 10000|argument missing/],
  [['--state', ''], /It is empty/],
];

test.each(BAD_OPTIONS)('sotto bridge %j is wrong usage', async (args, told) => {
  const { exit, stdout, stderr } = await sotto('bridge', ...args);
  assert.deepEqual([exit, stdout], [2, '']);
  assert.match(stderr, told);
});

const REFUSED: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [[], /say --direct or --relayed/],
  [['--direct'], /no server to ask/],
  [['--relayed'], /no policy file/],
  [['--relayed', '--policy', '/nowhere'], /there is no file \/nowhere/],
  [['--direct', '--server', ONION, '--listen', '8.8.8.8:1'], /no address of a private network/],
  [['--direct', '--server', ONION, '--listen', '0.0.0.0:0'], /say --allow-lan/],
  [
    ['--direct', '--server', ONION, '--listen', '10.255.255.254:0', '--allow-lan'],
    /is no address of this machine/,
  ],
  [['--direct', '--server', ONION, ...ANY, '--socks', '127.0.0.1:1'], /no tor answers at/],
  [['--direct', '--server', ONION, ...ANY, '--device-key', '/nowhere'], /there is no file/],
  [['--direct', '--server', '127.0.0.1:1', ...ANY], /nothing answers at 127\.0\.0\.1:1/],
  [['status'], /no bridge answers at .*\nStart one in another terminal/],
];

test.each(REFUSED)('sotto bridge %j fails in plain words', async (args, told) => {
  const { exit, stdout, stderr } = await sotto('bridge', ...args);
  assert.deepEqual([exit, stdout], [1, '']);
  assert.match(stderr, told);
  assert.doesNotMatch(stderr, /^ {4}at |bug/m);
});

test('a key that is none, or for another onion, is refused before anything is dialled', async () => {
  const file = join(directory, 'laptop.auth_private');
  const way = ['bridge', '--direct', '--server', ONION, '--device-key', file, ...ANY];
  writeFileSync(file, 'nonsense');
  assert.match((await sotto(...way)).stderr, /is not the key of a device/);
  const { address: onion } = onionKeyFromSeed(new Uint8Array(32).fill(2));
  writeFileSync(file, renderAuthPrivate({ onion, privateKey: newClientKey().privateKey }));
  assert.match((await sotto(...way)).stderr, /is for another onion than --server/);
});

test('a port that is taken is told with the program that has it', async () => {
  await using other = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: (stream) => stream.destroy(),
  });
  const listen = `127.0.0.1:${other.port}`;
  const { exit, stderr } = await sotto(...direct, '--listen', listen);
  assert.equal(exit, 1);
  assert.match(stderr, new RegExp(`${listen} is in use by .*, process ${process.pid}\n`));
});

test('it tells how it is, keeps its state for itself and ends in order', async () => {
  const state = join(directory, 'life');
  await using bridge = await startBridge(state);
  await subscribe(bridge.electrum);
  const status = await sotto('bridge', 'status', '--state', state, '--json');
  const report = JSON.parse(status.stdout) as Parameters<typeof bridgeStatusText>[0];
  assert.deepEqual([report.watching.watched, report.tip.height], [1, 101]);
  assert.match(bridgeStatusText(report, Date.now()), /^addresses +1 watched, 1 verified/m);

  const second = await sotto(...direct, '--state', state);
  assert.equal(second.exit, 1);
  assert.match(second.stderr, /another sotto command uses what is kept in/);

  bridge.child.kill('SIGINT');
  const { exit, stderr } = await bridge.outcome;
  assert.equal(exit, 0, stderr);
  assert.equal(existsSync(join(state, 'bridge.sock')), false);
  assert.ok(!stderr.includes(USED));
});

test('after a kill it starts again on the same state', async () => {
  const state = join(directory, 'killed');
  {
    await using bridge = await startBridge(state);
    await subscribe(bridge.electrum);
  }
  await using again = await startBridge(state);
  await subscribe(again.electrum);
  again.child.kill('SIGTERM');
  assert.equal((await again.outcome).exit, 0);
});

test('a relative state directory is the same from everywhere', async () => {
  const state = join(directory, 'relative');
  await using bridge = await startBridge(basename(state));
  const status = start(['bridge', 'status', '--state', state], dirname(directory));
  assert.equal((await status.outcome).exit, 0);
  bridge.child.kill('SIGINT');
  assert.equal((await bridge.outcome).exit, 0);
});

test('only the passphrase that sealed the histories opens them', async () => {
  const state = join(directory, 'sealed');
  const file = join(directory, 'passphrase');
  writeFileSync(file, 'correct horse\n');
  {
    await using bridge = await startBridge(state, '--passphrase-file', file);
    bridge.child.kill('SIGINT');
    await bridge.outcome;
  }
  const without = await sotto(...direct, '--state', state);
  assert.match(without.stderr, /are sealed with a passphrase/);
  writeFileSync(file, 'battery staple\n');
  const wrong = await sotto(...direct, '--state', state, '--passphrase-file', file);
  assert.deepEqual([wrong.exit, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /the passphrase is wrong/);
});

test('Ctrl-C while it waits for a server ends it in order', async () => {
  await using mute = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 9,
    onConnection: (stream) => stream.resume(),
  });
  const server = `127.0.0.1:${mute.port}`;
  const state = join(directory, 'waiting');
  const run = start(['bridge', '--direct', '--server', server, '--state', state, ...ANY]);
  await once(run.child.stderr ?? assert.fail(), 'data');
  run.child.kill('SIGINT');
  const { exit, stderr } = await run.outcome;
  assert.equal(exit, 1);
  assert.match(stderr, /sotto: interrupted\n$/);
  assert.equal(existsSync(join(state, 'bridge.sock')), false);
});
