import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { renderPolicy } from '../src/directory/policy.ts';
import { purseOf } from '../src/devnet/purse.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { testAuthorities, testPolicy } from './test-directory.ts';

const PACKAGE = new URL('..', import.meta.url);
const SOTTO = fileURLToPath(new URL('dist/cli/main.js', PACKAGE));
const { address: ONION } = onionKeyFromSeed(new Uint8Array(32).fill(1));
const { address: ADDRESS } = purseOf(new Uint8Array(32).fill(1), 'anyone');
const POLICY = testPolicy(testAuthorities(3));
const SCRIPT_HASH = 'ab'.repeat(32);
/** Nothing listens there: port 1 is for root. */
const NO_TOR = ['--socks', '127.0.0.1:1'];

interface Outcome {
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]) {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('SOTTO_'));
  const child = spawn(process.execPath, [SOTTO, ...args], {
    env: Object.fromEntries(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outcome = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]): Outcome => ({
      exit: (code ?? signal) as number | string,
      stdout,
      stderr,
    }),
  );
  return { child, outcome };
}

async function sotto(...args: readonly string[]): Promise<Outcome> {
  return await start(args).outcome;
}

const COMMANDS = [
  [],
  ['demo'],
  ['lookup'],
  ['bridge'],
  ['bridge', 'status'],
  ['directory'],
  ['directory', 'show'],
  ['directory', 'verify'],
  ['directory', 'evidence'],
  ['devnet'],
  ['bond'],
  ['bond', 'address'],
  ['bond', 'prove'],
  ['bond', 'show'],
  ['policy', 'show'],
  ['policy', 'fetch'],
  ['devnet', 'info'],
  ['devnet', 'mine'],
  ['devnet', 'pay'],
  ['devnet', 'reorg'],
  ['node'],
  ['authority'],
  ['authority', 'init'],
  ['authority', 'run'],
  ['authority', 'status'],
  ['up'],
  ['status'],
  ['restart'],
  ['down'],
];

test('--version tells the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as {
    version: string;
  };
  assert.deepEqual(await sotto('--version'), { exit: 0, stdout: `${version}\n`, stderr: '' });
});

for (const command of COMMANDS) {
  test.concurrent(`${['sotto', ...command].join(' ')} --help tells how it is used`, async () => {
    const { exit, stdout, stderr } = await sotto(...command, '--help');
    assert.deepEqual([exit, stderr], [0, '']);
    assert.ok(stdout.startsWith(`Usage: ${['sotto', ...command].join(' ')}`), stdout);
  });
}

/** What was typed, and what the person is told. */
const WRONG_USAGE: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [[], /^Usage: sotto/],
  [['lookpu'], /unknown command 'lookpu'\n\(Did you mean lookup\?\)/],
  [['directory', 'shwo'], /unknown command 'shwo'\n\(Did you mean show\?\)/],
  [['devnet', 'mien'], /too many arguments for 'devnet'.*\n\(sotto devnet --help tells more\)/],
  [['--jsno'], /unknown option '--jsno'/],
  [['demo', '--jsno'], /unknown option '--jsno'\n\(Did you mean --json\?\)/],
  [['--json', 'demo'], /unknown option '--json'/],
  [['demo', '--nodes', '3'], /Expected a whole number from 4 to 12/],
  [['demo', '--nodes', '4.5'], /Expected a whole number from 4 to 12/],
  [['demo', '--nodes'], /argument missing/],
  [['demo', 'now'], /too many arguments/],
  [['lookup'], /missing required argument 'address'\n\(sotto lookup --help tells more\)/],
  [['lookup', '--direct', '--relayed', ADDRESS], /cannot be used with option '--relayed'/],
  [['lookup', '--direct', '--network', 'bitcoin', ADDRESS], /Allowed choices are mainnet,/],
  [['lookup', '--direct', '--server', 'example.com:50001', ADDRESS], /never a clearnet name/],
  [['lookup', '--direct', '--server', '8.8.8.8:50001', ADDRESS], /never a clearnet name/],
  [['lookup', '--direct', '--server', '127.0.0.1', ADDRESS], /numeric address and port/],
  [['lookup', '--direct', '--socks', '9050', ADDRESS], /expected host:port, got "9050"/],
  [['devnet', 'mine', '0'], /Expected a whole number from 1 to 10000/],
  [['devnet', 'pay', ADDRESS], /missing required argument 'amount'/],
  [['devnet', 'pay', ADDRESS, '-1'], /./],
  [['devnet', 'pay', ADDRESS, '0.123456789'], /Expected bitcoins, such as 0.05/],
  [['devnet', 'reorg', 'all'], /Expected a whole number from 1 to 1000/],
  [['devnet', '--port', '70000'], /Expected a whole number from/],
  [['devnet', '--host', 'example.com'], /not an IP address/],
  [['node'], /required option '-c, --config <file>' not specified/],
  [['restart', 'bitcoin'], /Allowed choices are tor, watchdog, bitcoind/],
  [['up', '--home', ''], /It is empty/],
];

for (const [args, told] of WRONG_USAGE) {
  test.concurrent(`${['sotto', ...args].join(' ')} is wrong usage`, async () => {
    const { exit, stdout, stderr } = await sotto(...args);
    assert.deepEqual([exit, stdout], [2, '']);
    assert.match(stderr, told);
    assert.doesNotMatch(stderr, /^ {4}at /m);
  });
}

const DIRECT = ['lookup', '--direct', '--network', 'regtest', ...NO_TOR];

const FAILURES: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [['lookup', ADDRESS], /say --direct or --relayed\n--direct asks your own server/],
  [['lookup', '--direct', ADDRESS], /no server to ask\nName your server with --server/],
  [['lookup', '--relayed', ADDRESS], /no policy file\nName the policy file of your network/],
  [['lookup', '--relayed', '--policy', '/nowhere', ADDRESS], /there is no file \/nowhere/],
  [['directory', 'show'], /no policy file/],
  [[...DIRECT, '--server', ONION, SCRIPT_HASH], /no tor answers at 127\.0\.0\.1:1/],
  [[...DIRECT, '--server', ONION, 'bc1nonsense'], /"bc1nonsense" is not an address on regtest/],
  [['devnet', 'info', '--directory', '/nowhere'], /no devnet is running .*\nStart one in another/],
  [['node', '--config', '/nowhere'], /there is no file \/nowhere/],
  [['node', '--config', '/'], /EISDIR/],
  ...['up', 'status', 'restart', 'down'].map((command): readonly [readonly string[], RegExp] => [
    [command, '--home', '/nowhere'],
    /there is no personal server in \/nowhere\nMake one with: sotto init/,
  ]),
];

for (const [args, told] of FAILURES) {
  test.concurrent(`${['sotto', ...args].join(' ')} fails in plain words`, async () => {
    await using state = await makeTemporaryDirectory();
    const stated = args[0] === 'lookup' ? [...args, '--state', state.path] : args;
    const { exit, stdout, stderr } = await sotto(...stated);
    assert.deepEqual([exit, stdout], [1, '']);
    assert.match(stderr, told);
    assert.doesNotMatch(stderr, /^ {4}at |bug/m);
  });
}

test.each([
  ['status', '--home', '/nowhere'],
  ['join', '/nowhere', '--home', '/nowhere'],
  ['directory', 'verify', '/nowhere', '--policy', '/nowhere'],
])('sotto %s with --json prints one object when it fails, too', async (...args) => {
  const { exit, stdout, stderr } = await sotto(...args, '--json');
  assert.equal(exit, 1);
  const { ok, message } = JSON.parse(stdout) as { ok: boolean; message: string };
  assert.equal(ok, false);
  assert.ok(stderr.includes(message));
});

test('a policy without relays is told as such', async () => {
  await using directory = await makeTemporaryDirectory();
  const policy = join(directory.path, 'policy');
  writeFileSync(policy, renderPolicy({ ...POLICY, bootstrap: [] }));
  const place = ['--policy', policy, '--state', directory.path];
  const { exit, stderr } = await sotto('directory', 'show', ...place, ...NO_TOR);
  assert.equal(exit, 1);
  assert.match(stderr, /nobody to ask for a consensus: the policy names no relay/);
});

test('a policy that is no text is told as such', async () => {
  await using directory = await makeTemporaryDirectory();
  const policy = join(directory.path, 'policy');
  writeFileSync(policy, Uint8Array.of(0xff));
  const { exit, stderr } = await sotto('policy', 'show', '--policy', policy);
  assert.deepEqual([exit, stderr], [1, `sotto: ${policy} is not text in UTF-8\n`]);
});

test('a relayed lookup without tor names the relays that it tried', async () => {
  await using directory = await makeTemporaryDirectory();
  const policy = join(directory.path, 'policy');
  writeFileSync(policy, renderPolicy({ ...POLICY, bootstrap: [{ host: ONION, port: 50_010 }] }));
  const state = ['--state', directory.path];
  for (const command of [
    ['lookup', '--relayed', ADDRESS],
    ['directory', 'show'],
  ]) {
    const { exit, stderr } = await sotto(...command, '--policy', policy, ...NO_TOR, ...state);
    assert.equal(exit, 1);
    assert.match(stderr, /no tor answers at 127\.0\.0\.1:1/);
    assert.doesNotMatch(stderr, /^ {4}at |bug/m);
  }
});

test('a broken configuration is told with all its problems at once', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'node.json');
  writeFileSync(path, JSON.stringify({ network: 'bitcoin', listen: 'here', extra: 1 }));
  const { exit, stderr } = await sotto('node', '--config', path);
  assert.equal(exit, 1);
  for (const place of ['network', 'listen', 'dataDirectory', 'target', 'socks']) {
    assert.match(stderr, new RegExp(`at ${place}$`, 'm'));
  }
  assert.match(stderr, /"extra"/);
  writeFileSync(path, '{"network":');
  assert.match((await sotto('node', '--config', path)).stderr, /is not JSON/);
});

test('a reader that has seen enough is no failure', async () => {
  const child = spawn(process.execPath, [SOTTO, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [exit, stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  assert.deepEqual([exit, stderr], [[0, null], '']);
});

interface RunningDevnet extends AsyncDisposable {
  readonly directory: string;
  readonly child: ReturnType<typeof start>['child'];
  readonly outcome: Promise<Outcome>;
  ask(...args: readonly string[]): Promise<Outcome>;
}

async function startDevnet(): Promise<RunningDevnet> {
  const directory = await makeTemporaryDirectory();
  const place = ['--directory', directory.path];
  const { child, outcome } = start(['devnet', '--port', '0', '--json', ...place]);
  await Promise.race([once(child.stdout, 'data'), outcome]);
  return {
    directory: directory.path,
    child,
    outcome,
    ask: (...args) => sotto('devnet', ...args, ...place),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await outcome;
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('a lookup asks a server on this machine without tor', async () => {
  await using devnet = await startDevnet();
  await using state = await makeTemporaryDirectory();
  await devnet.ask('pay', ADDRESS, '0.05');
  const { electrum } = JSON.parse((await devnet.ask('info', '--json')).stdout) as Info;
  const way = ['--direct', '--network', 'regtest', '--server', electrum, '--state', state.path];
  const { exit, stdout, stderr } = await sotto('lookup', ...way, ...NO_TOR, ADDRESS);
  assert.deepEqual([exit, stderr], [0, '']);
  assert.match(stdout, /1 +0 +5000000 +your server/);
});

interface Info {
  readonly electrum: string;
}

interface Tip {
  readonly height: number;
  readonly txid?: string;
}

test('a devnet is steered from other terminals', async () => {
  await using devnet = await startDevnet();
  const ask = async (...args: readonly string[]): Promise<Tip> => {
    const { exit, stdout, stderr } = await devnet.ask(...args, '--json');
    assert.equal(exit, 0, stderr);
    return JSON.parse(stdout) as Tip;
  };
  assert.equal((await ask('info')).height, 101);
  assert.equal((await ask('mine')).height, 102);
  assert.equal((await ask('mine', '3')).height, 105);
  assert.match((await ask('pay', ADDRESS, '0.05')).txid ?? '', /^[0-9a-f]{64}$/);
  assert.equal((await ask('reorg', '2')).height, 106);
  assert.match((await devnet.ask('info')).stdout, /^tip {10}106 [0-9a-f]{64}\nElectrum {5}127\./);

  const refused = await devnet.ask('pay', 'bc1nonsense', '0.05');
  assert.equal(refused.exit, 1);
  assert.match(refused.stderr, /^sotto: "bc1nonsense" is not an address on regtest/);
  const second = await devnet.ask('--port', '0');
  assert.equal(second.exit, 1);
  assert.match(second.stderr, /another process answers at .*\nStop it, or choose another/);
  assert.equal((await ask('info')).height, 106);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a devnet in order`, async () => {
    await using devnet = await startDevnet();
    const socket = join(devnet.directory, 'control.sock');
    assert.ok(existsSync(socket));
    devnet.child.kill(signal);
    const { exit, stderr } = await devnet.outcome;
    assert.deepEqual([exit, stderr], [0, '']);
    assert.equal(existsSync(socket), false);
  });
}
