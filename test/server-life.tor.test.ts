import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from 'vitest';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../src/io/temporary-directory.ts';

// The commands as a person types them, on a server of the process backend that never runs: what its
// life consists of but for running. It takes the program tor, and no Tor network.

const SOTTO = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const KILLS = 5;

let directory: TemporaryDirectory;
let passphraseFile: string;
/** Of a server that was made for it, with its address. */
let backup: { readonly file: string; readonly home: string; readonly wallet: string };
beforeAll(async () => {
  directory = await makeTemporaryDirectory();
  passphraseFile = join(directory.path, 'passphrase');
  writeFileSync(passphraseFile, 'correct horse battery staple\n');
  const home = await makeServer('backed-up');
  const file = join(directory.path, 'server.age');
  const args = ['backup', '--home', home, '--passphrase-file', passphraseFile, '--json', file];
  const { onions } = JSON.parse(await succeeds(...args)) as { onions: { wallet: string } };
  backup = { file, home, wallet: onions.wallet };
});
afterAll(() => directory[Symbol.asyncDispose]());

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
  return start(args).outcome;
}

/** @returns what it printed. */
async function succeeds(...args: readonly string[]): Promise<string> {
  const { exit, stdout, stderr } = await sotto(...args);
  assert.equal(exit, 0, stderr);
  return stdout;
}

async function fails(words: RegExp, ...args: readonly string[]): Promise<void> {
  const { exit, stderr } = await sotto(...args);
  assert.equal(exit, 1, stderr);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /bug in sotto/);
}

const REGTEST = ['--network', 'regtest', '--backend', 'process', '--yes'];

async function makeServer(name: string): Promise<string> {
  const home = join(directory.path, name);
  await succeeds('init', '--home', home, ...REGTEST);
  return home;
}

/** As its key makes it. */
function walletOf(home: string): string {
  return onionKeyFromSeed(readFileSync(join(home, 'secrets', 'wallet.seed'))).address;
}

function restoring(file: string, home: string, ...more: readonly string[]): string[] {
  return ['restore', '--home', home, '--passphrase-file', passphraseFile, ...more, file];
}

test('init says what it wrote, never writes over it, and never waits for an answer', async () => {
  const home = await makeServer('first');
  const before = readFileSync(join(home, 'sotto.yaml'), 'utf8');
  assert.match(before, /^network: regtest$/m);
  await fails(/there is a personal server/, 'init', '--home', home, ...REGTEST);
  assert.equal(readFileSync(join(home, 'sotto.yaml'), 'utf8'), before);
  await fails(/Give --yes/, 'init', '--home', join(directory.path, 'asked'));
  assert.equal(existsSync(join(directory.path, 'asked')), false);
});

test('init that finds something wrong writes nothing, and says all of it as JSON', async () => {
  const home = join(directory.path, 'unfit');
  const { exit, stdout } = await sotto(
    ...['init', '--home', home, ...REGTEST, '--expose-lan', '10.254.253.252:50001', '--json'],
  );
  assert.equal(exit, 1);
  const { written, findings } = JSON.parse(stdout) as {
    written: boolean;
    findings: readonly { id: string; verdict: string }[];
  };
  assert.equal(written, false);
  assert.equal(findings.find(({ id }) => id === 'ports')?.verdict, 'fail');
  assert.equal(existsSync(home), false);
});

test('backup, destroy, restore: the same addresses, and nothing else was touched', async () => {
  const { file, home, wallet } = backup;
  assert.equal(walletOf(home), wallet);
  const others = readdirSync(directory.path).filter((name) => name !== 'backed-up');
  await fails(/Give --yes/, 'destroy', '--home', home);
  await succeeds('destroy', '--home', home, '--yes');
  assert.deepEqual(readdirSync(directory.path), others);
  await succeeds(...restoring(file, home));
  assert.equal(walletOf(home), wallet);
});

test('a wrong passphrase and a damaged backup change nothing', async () => {
  const wrong = join(directory.path, 'wrong');
  writeFileSync(wrong, 'another passphrase\n');
  const elsewhere = join(directory.path, 'elsewhere');
  const args = ['--home', elsewhere, '--passphrase-file'];
  await fails(/passphrase is wrong/, 'restore', ...args, wrong, backup.file);
  const bytes = readFileSync(backup.file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40);
  const damaged = join(directory.path, 'damaged.age');
  writeFileSync(damaged, bytes);
  await fails(/damaged/, 'restore', ...args, passphraseFile, damaged);
  assert.equal(existsSync(elsewhere), false);
});

test('a rotated onion has another address, and a backup from before brings the old one back', async () => {
  const { file, home, wallet } = backup;
  const printed = await succeeds('rotate', 'wallet', '--home', home, '--yes', '--json');
  const { former, address } = JSON.parse(printed) as { former: string; address: string };
  assert.equal(former, wallet);
  assert.notEqual(address, wallet);
  assert.equal(walletOf(home), address);
  await succeeds(...restoring(file, home, '--replace'));
  assert.equal(walletOf(home), wallet);
});

/** Kills it for good, later and later in its life, and lets it run to its end once more. */
async function killedAgainAndAgain(args: readonly string[], longestMs: number): Promise<Outcome> {
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, outcome } = start(args);
    await Promise.race([sleep((longestMs * (kill + 1)) / KILLS), outcome]);
    child.kill('SIGKILL');
    await outcome;
  }
  return sotto(...args);
}

async function timed(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
}

test('a rotation that was killed at any moment ends with one whole key', async () => {
  const home = await makeServer('fifth');
  const args = ['rotate', 'wallet', '--home', home, '--yes', '--json'];
  const longestMs = await timed(succeeds(...args));
  const { exit, stdout, stderr } = await killedAgainAndAgain(args, longestMs);
  assert.equal(exit, 0, stderr);
  const { address } = JSON.parse(stdout) as { address: string };
  assert.equal(walletOf(home), address);
  const left = readdirSync(join(home, 'secrets')).filter((name) => name.startsWith('wallet'));
  assert.deepEqual(left, ['wallet.seed']);
});

test('a restore that was killed at any moment ends with the whole server', async () => {
  const { file, wallet } = backup;
  const target = join(directory.path, 'target');
  const longestMs = await timed(succeeds(...restoring(file, join(directory.path, 'timed'))));
  const { exit, stderr } = await killedAgainAndAgain(restoring(file, target), longestMs);
  // One of those that were to be killed may have come to its end.
  if (exit !== 0) assert.match(stderr, /there is a personal server/);
  assert.equal(walletOf(target), wallet);
  assert.ok(!readdirSync(directory.path).some((name) => name.endsWith('.new')));
});
