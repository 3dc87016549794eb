import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { findProgram } from '../src/io/find-program.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { PACKAGE_ROOT } from '../src/stack/package-root.ts';
import type { Step } from '../src/stack/readiness/step.ts';
import { type ProcessServer, startProcessLab } from './process-server.ts';

const found = await Promise.all(['bitcoind', 'Fulcrum'].map((name) => findProgram(name)));
/** The real programs where they are. */
const target = found.includes(undefined) ? 'devnet' : 'fulcrum';

const TEST_MS = 400_000;
const signal = AbortSignal.timeout(2 * TEST_MS);
const scope = new Scope();
let server: ProcessServer;

beforeAll(async () => {
  const lab = scope.use(await startProcessLab(signal));
  server = await lab.makeServer('up', ['--network', 'regtest', '--target', target]);
});

afterAll(() => scope[Symbol.asyncDispose]());

interface Status {
  readonly ready: boolean;
  readonly steps: readonly Step[];
  readonly initialSyncEndDue: boolean;
}

async function status(): Promise<Status> {
  return JSON.parse(await server.succeed('status', '--json')) as Status;
}

test('a server that never ran shows its steps, none of them done', async () => {
  const { ready, steps } = await status();
  assert.equal(ready, false);
  assert.equal(steps.length, 10);
  for (const { id, state } of steps) assert.ok(state === 'waiting' || state === 'skipped', id);
});

test('Ctrl-C ends the waiting and says so; the services run on', { timeout: TEST_MS }, async () => {
  const child = spawn(process.execPath, [join(PACKAGE_ROOT, 'dist', 'cli', 'main.js'), 'up'], {
    env: { ...process.env, SOTTO_HOME: server.home.directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr);
  const exit = once(child, 'exit');
  await waitUntil(async () => ((await server.states()).length > 0 ? true : undefined), {
    what: 'the services to start',
    timeoutMs: 60_000,
    intervalMs: 50,
    signal,
  });
  child.kill('SIGINT');
  assert.deepEqual(await exit, [1, null]);
  assert.match(await said, /goes on by itself[^]*sotto: interrupted\n$/);
  assert.notEqual(server.supervisor(), undefined);
});

test('`up` goes on, tells each step in a line, and ends ready', { timeout: TEST_MS }, async () => {
  const lines = (await server.succeed('up', '--json')).trim().split('\n');
  const told = lines.slice(0, -1).map((line) => JSON.parse(line) as Step);
  const last = new Map(told.map(({ id, state }) => [id, state]));
  assert.equal(last.size, 10);
  for (const [id, state] of last) assert.ok(state === 'done' || state === 'skipped', id);
  assert.equal((JSON.parse(lines.at(-1) ?? '') as Status).ready, true);
});

test.skipIf(target === 'devnet')('the end of the initial sync is kept for good', async () => {
  assert.ok(existsSync(join(server.home.directory, 'initial-sync-done')));
  assert.equal((await status()).initialSyncEndDue, false);
});

test('without waiting, `up` ends when the services are started', async () => {
  assert.match(await server.succeed('up', '--no-wait', '--json'), /^\{"started":true,/);
});

test('a restart is of the services that are named, and of none that is not there', async () => {
  const before = await server.states();
  await server.succeed('restart', 'node');
  const changed = (await server.states()).filter(
    ({ service, since }) => before.find((each) => each.service === service)?.since !== since,
  );
  assert.deepEqual(
    changed.map(({ service }) => service),
    ['node'],
  );
  const { code, stderr } = await server.sotto('restart', 'guard');
  assert.equal(code, 1);
  assert.match(stderr, /this server has no guard\nIt has: tor, /);
});

test('a server that was stopped waits again', async () => {
  await server.succeed('down');
  const { ready, steps } = await status();
  assert.equal(ready, false);
  assert.ok(steps.every(({ state }) => state === 'waiting' || state === 'skipped'));
});
