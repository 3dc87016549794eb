import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { type Child, startChild } from '../src/io/child-process.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { torsBelow } from './tor-processes.ts';

const TORS = 5;
const BUILD = fileURLToPath(new URL('../dist/', import.meta.url));
const signal = AbortSignal.timeout(120_000);

/** Starts a process that owns a private network, and waits until all of the network's tors run. */
async function startOwner(directory: string, { reaper }: { reaper: boolean }): Promise<Child> {
  const program = `
    import { startReaper } from '${BUILD}io/reaper.js';
    import { startPrivateTorNetwork } from '${BUILD}tor/private-network.js';
    const reaper = ${reaper} ? await startReaper() : undefined;
    reaper?.watchDirectory('${directory}');
    const signal = AbortSignal.timeout(120_000);
    await startPrivateTorNetwork({ directory: '${directory}/tor', signal, reaper });
  `;
  await using starting = new Scope();
  const owner = starting.use(
    await startChild({
      command: process.execPath,
      args: ['--input-type=module', '--eval', program],
      signal,
      stopTimeoutMs: 5_000,
    }),
  );
  const allRun = waitUntil(() => torsBelow(directory).length === TORS || undefined, {
    what: 'the owner to start all tors',
    timeoutMs: 60_000,
    intervalMs: 50,
    signal,
  });
  await Promise.race([allRun, owner.failed]);
  starting.move();
  return owner;
}

test('a killed owner leaves no tor and no directory', async () => {
  await using directory = await makeTemporaryDirectory();
  await using owner = await startOwner(directory.path, { reaper: true });
  process.kill(owner.pid, 'SIGKILL');
  const isClear = (): true | undefined =>
    (torsBelow(directory.path).length === 0 && !existsSync(directory.path)) || undefined;
  await waitUntil(isClear, {
    what: 'the reaper to clear up',
    timeoutMs: 5_000,
    intervalMs: 20,
    signal,
  });
});

test('tor ends by itself when its owner was killed and nobody clears up', async () => {
  await using directory = await makeTemporaryDirectory();
  await using owner = await startOwner(directory.path, { reaper: false });
  process.kill(owner.pid, 'SIGKILL');
  await waitUntil(() => torsBelow(directory.path).length === 0 || undefined, {
    what: 'the tors to miss their owner',
    timeoutMs: 60_000,
    intervalMs: 100,
    signal,
  });
  assert.ok(existsSync(directory.path));
});
