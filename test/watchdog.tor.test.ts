import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { createSecretFile, makePrivateDirectory, writeDurably } from '../src/io/durable-file.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { startReaper, type Reaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { homeAt, type Home } from '../src/stack/home.ts';
import { beforeTor } from '../src/stack/process/before-tor.ts';
import { runWatchdog } from '../src/stack/watchdog/run-watchdog.ts';
import { readWatchdogStatus, type WatchdogStatus } from '../src/stack/watchdog/status-file.ts';
import { onionKeyFromSeed } from '../src/tor/onion-key.ts';
import { renderTorrc } from '../src/tor/torrc.ts';

const MINUTE_MS = 60_000;
const signal = AbortSignal.timeout(120_000);
const scope = new Scope();
let reaper: Reaper;
let home: Home;
let torDirectory: string;
let torrc: string;

beforeAll(async () => {
  reaper = scope.use(await startReaper());
  const { path } = scope.use(await makeTemporaryDirectory());
  home = homeAt(path);
  torDirectory = home.data('tor');
  for (const directory of [join(torDirectory, 'run'), home.onion('relay')]) {
    await makePrivateDirectory(directory);
  }
  const key = onionKeyFromSeed(new Uint8Array(32).fill(7));
  await createSecretFile(`${home.onion('relay')}/hs_ed25519_secret_key`, key.secretKeyFile);
  const [orPort = 0, dirPort = 0] = await findFreePorts(2);
  torrc = join(path, 'torrc');
  await writeDurably(
    torrc,
    renderTorrc({
      dataDirectory: join(torDirectory, 'state'),
      socks: [],
      control: { socket: home.torControl, cookie: home.torControlCookie },
      onions: [{ directory: home.onion('relay'), ports: [{ virtual: 80, target: '127.0.0.1:9' }] }],
      // A network that is not there.
      privateNetwork: {
        role: 'client',
        authorities: [
          {
            ...{ nickname: 'nobody', host: '127.0.0.1', orPort, dirPort },
            ...{ v3Ident: 'A'.repeat(40), fingerprint: 'B'.repeat(40) },
          },
        ],
      },
    }),
  );
});

afterAll(() => scope[Symbol.asyncDispose]());

async function startTor(): Promise<Child> {
  await beforeTor({
    home,
    config: { openWallet: true } as Parameters<typeof beforeTor>[0]['config'],
  });
  const args = ['-f', torrc, '--defaults-torrc', `${torrc}-defaults`];
  return scope.use(await startChild({ command: 'tor', args, signal, stopTimeoutMs: 1000, reaper }));
}

/** Waits until the watchdog says so. */
function said(what: string, is: (status: WatchdogStatus) => boolean): Promise<WatchdogStatus> {
  return waitUntil(
    async () => {
      const status = await readWatchdogStatus(torDirectory);
      return status && is(status) ? status : undefined;
    },
    { what, timeoutMs: 30_000, intervalMs: 20, signal },
  );
}

test('a tor that is cut off gets new guards three times, loses its state once, never a key', async () => {
  const first = await startTor();
  let now = Date.UTC(2026, 0, 1);
  const stop = new AbortController();
  const watching = runWatchdog({
    torDirectory,
    // Each look is a minute later.
    clock: () => (now += MINUTE_MS),
    log: silent,
    signal: stop.signal,
    intervalMs: 20,
  });
  watching.catch(() => undefined);

  const tried = await said('new guards', (status) => status.tried === 3);
  assert.equal(tried.kind, 'cut-off');
  assert.ok(tried.since !== undefined);
  mkdirSync(join(torDirectory, 'state', 'diff-cache'), { recursive: true });
  assert.deepEqual(await first.exited, { code: 0, signal: undefined });
  assert.equal((await said('a wipe', ({ wiped }) => wiped)).since, tried.since);
  assert.equal(existsSync(join(torDirectory, 'run', 'wipe-state')), true);

  const key = readFileSync(`${home.onion('relay')}/hs_ed25519_secret_key`);
  await startTor();
  assert.equal(existsSync(join(torDirectory, 'run', 'wipe-state')), false);
  assert.equal(readdirSync(join(torDirectory, 'state')).includes('diff-cache'), false);
  assert.deepEqual(readFileSync(`${home.onion('relay')}/hs_ed25519_secret_key`), key);

  const end = await said('that nothing is left to try', ({ kind }) => kind === 'given-up');
  assert.equal(end.wiped, true);
  assert.equal(existsSync(join(torDirectory, 'run', 'wipe-state')), false);
  stop.abort(new Error('enough'));
  await assert.rejects(watching);
});

test('where no tor runs, the watchdog waits and says so', async () => {
  const other = join(home.directory, 'other');
  await makePrivateDirectory(join(other, 'run'));
  const stop = new AbortController();
  const options = { torDirectory: other, clock: Date.now, log: silent, intervalMs: 20 };
  const watching = runWatchdog({ ...options, signal: stop.signal });
  watching.catch(() => undefined);
  const status = await waitUntil(() => readWatchdogStatus(other), {
    ...{ what: 'a status', timeoutMs: 10_000, intervalMs: 20, signal },
  });
  assert.equal(status.kind, 'absent');
  assert.equal(existsSync(join(other, 'run', 'wipe-state')), false);
  stop.abort(new Error('enough'));
  await assert.rejects(watching);
});
