import assert from 'node:assert/strict';
import { chown, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { writePlan } from './apply.ts';
import { homeAt } from './home.ts';
import { openOrBeginStack, openStack, openToEnd } from './open-stack.ts';
import { makeSecrets } from './secrets.ts';

async function isRefused(directory: string, words: RegExp): Promise<void> {
  await assert.rejects(openStack(directory, { log: silent }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(`${error.message}\n${error.hint ?? ''}`, words);
    return true;
  });
}

test('a server opens with the same plan each time', async () => {
  await using home = await makeTemporaryDirectory();
  const yaml = 'network: regtest\ntarget: devnet\nbackend: process\n';
  await writeFile(join(home.path, 'sotto.yaml'), yaml);
  await makeSecrets(homeAt(home.path));
  const [first, second] = [
    await openStack(home.path, { log: silent }),
    await openStack(home.path, { log: silent }),
  ];
  assert.deepEqual(first.plan.onions, second.plan.onions);
  assert.deepEqual(first.plan.environment, second.plan.environment);
});

test('where there is no server, it is said how to make one', async () => {
  await using home = await makeTemporaryDirectory();
  await isRefused(home.path, /no personal server.*\n.*sotto init/);
  await isRefused(join(home.path, 'nowhere'), /no personal server/);
});

test('what rendered files could not hold is no home', async () => {
  await isRefused("/home/it's", /cannot be a home.*quotes/);
});

test('files that are named and are not there are told', async () => {
  await using home = await makeTemporaryDirectory();
  await makeSecrets(homeAt(home.path));
  const file = join(home.path, 'sotto.yaml');
  await writeFile(file, 'network: regtest\nbackend: process\nrelay: { policy: /nowhere/p }\n');
  await isRefused(home.path, /there is no file \/nowhere\/p/);
  await writeFile(file, 'network: regtest\nbackend: process\ntor: { test_network: /nowhere/n }\n');
  await isRefused(home.path, /there is no file \/nowhere\/n/);
});

test.runIf(process.getuid?.() === 0)('root does not work in the home of another user', async () => {
  await using home = await makeTemporaryDirectory();
  await writeFile(join(home.path, 'sotto.yaml'), 'network: regtest\n');
  await chown(home.path, 1234, 1234);
  await isRefused(home.path, /belongs to another user\n.*1234/);
});

const DEVNET = 'network: regtest\ntarget: devnet\nbackend: process\n';

test('keys are made by what begins a server, and by nothing else', async () => {
  await using home = await makeTemporaryDirectory();
  await writeFile(join(home.path, 'sotto.yaml'), DEVNET);
  await isRefused(home.path, /no keys yet\n.*sotto up/);
  assert.deepEqual(await readdir(home.path), ['sotto.yaml']);
  const begun = await openOrBeginStack(home.path, { log: silent });
  assert.deepEqual((await openStack(home.path, { log: silent })).plan.onions, begun.plan.onions);
});

test('a server that was started once gets no other keys when its own are gone', async () => {
  await using home = await makeTemporaryDirectory();
  await writeFile(join(home.path, 'sotto.yaml'), DEVNET);
  const begun = await openOrBeginStack(home.path, { log: silent });
  await writePlan(begun);
  await rm(begun.home.secrets, { recursive: true });
  const left = await readdir(home.path, { recursive: true });
  await assert.rejects(openOrBeginStack(home.path, { log: silent }), /has lost keys: secrets/);
  assert.deepEqual(await readdir(home.path, { recursive: true }), left);
  // As the error says, for whoever wants others.
  await rm(join(home.path, '.sotto-server'));
  const { plan } = await openOrBeginStack(home.path, { log: silent });
  assert.notEqual(plan.onions.wallet, begun.plan.onions.wallet);
  assert.equal(plan.onions.relay, begun.plan.onions.relay);
});

test('a server without keys can be ended', async () => {
  await using home = await makeTemporaryDirectory();
  await writeFile(join(home.path, 'sotto.yaml'), DEVNET);
  const { backend } = await openToEnd(home.path, { log: silent });
  const { signal } = new AbortController();
  const states = await backend.states({ signal });
  assert.ok(states.length > 0 && states.every(({ state }) => state === 'stopped'));
  await backend.down({ signal });
  assert.deepEqual(await readdir(home.path), ['sotto.yaml']);
});
