import assert from 'node:assert/strict';
import { appendFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { type ProgramOutput, runProgram } from '../src/io/run-program.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { makeBackup } from '../src/stack/backup/make-backup.ts';
import { homeAt } from '../src/stack/home.ts';
import { ensureMarker } from '../src/stack/marker.ts';
import { PACKAGE_ROOT } from '../src/stack/package-root.ts';
import { makeSecrets, onionAddresses, openSecrets } from '../src/stack/secrets.ts';

const PASSPHRASE = 'correct horse battery staple';
const signal = AbortSignal.timeout(300_000);
const scope = new Scope();
let parent: string;
let passphraseFile: string;
/** A server whose disk with `secrets` is not mounted. */
let bare: string;

async function makeServer(name: string): Promise<string> {
  const { directory } = homeAt(join(parent, name));
  await makeSecrets(homeAt(directory));
  const yaml = 'network: regtest\ntarget: devnet\nbackend: process\n';
  await writeFile(join(directory, 'sotto.yaml'), yaml);
  await ensureMarker(directory);
  return directory;
}

async function loseSecrets(home: string): Promise<void> {
  await rename(homeAt(home).secrets, `${home}.secrets`);
}

async function sotto(home: string, ...words: readonly string[]): Promise<ProgramOutput> {
  return runProgram({
    command: process.execPath,
    args: [join(PACKAGE_ROOT, 'dist', 'cli', 'main.js'), ...words],
    env: { SOTTO_HOME: home },
    maxOutputBytes: 1 << 20,
    signal,
  });
}

beforeAll(async () => {
  ({ path: parent } = scope.use(await makeTemporaryDirectory()));
  passphraseFile = join(parent, 'passphrase');
  await writeFile(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  bare = await makeServer('bare');
  await loseSecrets(bare);
});

afterAll(() => scope[Symbol.asyncDispose]());

const REFUSED: readonly (readonly string[])[] = [
  ['up', '--json'],
  ['status', '--json'],
  ['doctor', '--json'],
  ['connect', '--json'],
  ['device', 'add', 'phone', '--json'],
  ['device', 'list', '--json'],
  ['device', 'revoke', 'phone', '--json'],
  ['verify', '--json'],
  ['update', '--check', '--json'],
  ['join', '/nowhere', '--json'],
  ['leave', '--json'],
  ['rotate', 'wallet', '--yes', '--json'],
  ['update'],
  ['logs'],
  ['restart'],
  ['run'],
  ['run', '--systemd-unit'],
];

async function refuses(words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await sotto(bare, ...words);
  const told = `the server in ${bare} has lost keys: secrets/wallet.seed, secrets/p2p.seed\n`;
  assert.equal(code, 1, stderr);
  assert.ok(stderr.startsWith(`sotto: ${told}`), stderr);
  assert.match(stderr, /not mounted\?[^]*sotto restore --replace FILE/);
  if (!words.includes('--json')) {
    assert.equal(stdout, '');
    return;
  }
  const { ok, message } = JSON.parse(stdout) as { ok: boolean; message: string };
  assert.equal(ok, false);
  assert.ok(message.startsWith(told), message);
}

for (const words of REFUSED) {
  test(`without the keys of its server, sotto ${words.join(' ')} says so and makes none`, async () => {
    const left = await readdir(bare, { recursive: true });
    await refuses(words);
    assert.deepEqual(await readdir(bare, { recursive: true }), left);
  });
}

test('there is no backup of a server without its keys', async () => {
  const file = join(parent, 'none.backup');
  await refuses(['backup', '--passphrase-file', passphraseFile, file, '--json']);
  assert.equal((await readdir(parent)).includes('none.backup'), false);
});

test('a server that has lost its policy file and its keys can be stopped and destroyed, and what is not there is told', async () => {
  const home = await makeServer('without-a-disk');
  const yaml = join(home, 'sotto.yaml');
  await appendFile(yaml, 'relay:\n  policy: /nowhere/policy\n');
  await loseSecrets(home);
  assert.equal((await sotto(home, 'down')).code, 0);
  const { code, stderr } = await sotto(home, 'destroy', '--yes');
  assert.equal(code, 0, stderr);
  const absent = ['wallet', 'p2p'].map((name) => `  ${join(home, 'secrets', `${name}.seed`)}\n`);
  assert.ok(
    stderr.endsWith(`These keys are not here, so this does not erase them:\n${absent.join('')}`),
  );
});

test('a server without its keys can be stopped, and goes on with them when they are back', async () => {
  const home = await makeServer('mounted-late');
  const { wallet } = onionAddresses(await openSecrets(homeAt(home)));
  await loseSecrets(home);
  assert.equal((await sotto(home, 'down')).code, 0);
  await rename(`${home}.secrets`, homeAt(home).secrets);
  const { stdout } = await sotto(home, 'status', '--json');
  assert.equal((JSON.parse(stdout) as { onions: { wallet: string } }).onions.wallet, wallet);
});

test('a backup brings the keys back into their home', async () => {
  const home = await makeServer('restored');
  const { wallet } = onionAddresses(await openSecrets(homeAt(home)));
  const file = join(parent, 'restored.backup');
  await makeBackup({ home, file, passphrase: PASSPHRASE, now: new Date(), workFactor: 1 });
  await loseSecrets(home);
  const secret = ['--passphrase-file', passphraseFile];
  const { code, stderr } = await sotto(home, 'restore', '--replace', ...secret, file);
  assert.equal(code, 0, stderr);
  assert.equal(onionAddresses(await openSecrets(homeAt(home))).wallet, wallet);
});

test('a server without its keys can be destroyed', async () => {
  const home = await makeServer('destroyed');
  await rm(homeAt(home).secrets, { recursive: true });
  const { code, stderr } = await sotto(home, 'destroy', '--yes');
  assert.equal(code, 0, stderr);
  assert.equal((await readdir(parent)).includes('destroyed'), false);
});
