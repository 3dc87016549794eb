import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { type Child, startChild } from './child-process.ts';
import { lockFile } from './file-lock.ts';
import { startReaper } from './reaper.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

function startSleep(): Promise<Child> {
  const signal = AbortSignal.timeout(10_000);
  return startChild({ command: 'sleep', args: ['60'], signal, stopTimeoutMs: 1_000 });
}

test('what is watched at its end is killed and removed', async () => {
  await using child = await startSleep();
  const directory = await mkdtemp(join(tmpdir(), 'sotto with spaces * '));
  await writeFile(join(directory, 'file'), '');
  {
    await using reaper = await startReaper();
    reaper.watchProcess(child.pid);
    reaper.watchDirectory(directory);
  }
  assert.deepEqual(await child.exited, { code: undefined, signal: 'SIGKILL' });
  assert.equal(existsSync(directory), false);
});

test('what was forgotten is left alone, and only that', async () => {
  await using first = await startSleep();
  await using second = await startSleep();
  {
    await using reaper = await startReaper();
    reaper.watchProcess(first.pid);
    reaper.watchProcess(second.pid);
    reaper.forgetProcess(first.pid);
    reaper.forgetProcess(first.pid);
  }
  await second.exited;
  process.kill(first.pid, 0);
});

test('what is watched may end in its own way within the grace, and is killed after', async () => {
  const start = async (script: string): Promise<Child> => {
    let ready: () => void = () => undefined;
    const said = new Promise<void>((resolve) => (ready = resolve));
    const signal = AbortSignal.timeout(10_000);
    const args = ['-c', script];
    const onLine = (): void => {
      ready();
    };
    const child = await startChild({ command: 'sh', args, signal, onLine, stopTimeoutMs: 1_000 });
    await said;
    return child;
  };
  await using heeds = await start('trap "exit 7" TERM; echo; while :; do sleep 0.01; done');
  await using ignores = await start('trap "" TERM; echo; while :; do sleep 0.01; done');
  {
    await using reaper = await startReaper({ graceSeconds: 1 });
    for (const { pid } of [heeds, ignores]) reaper.watchProcess(pid);
  }
  assert.deepEqual(await heeds.exited, { code: 7, signal: undefined });
  assert.deepEqual(await ignores.exited, { code: undefined, signal: 'SIGKILL' });
});

test('a lock is held until all is cleared up', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'lock');
  const lock = await lockFile(path);
  assert.ok(lock);
  {
    await using reaper = await startReaper({ lock });
    assert.ok(reaper);
    await lock[Symbol.asyncDispose]();
    assert.equal(await lockFile(path), undefined);
  }
  await using again = await lockFile(path);
  assert.ok(again);
});

test('one that watches nothing just ends', async () => {
  const reaper = await startReaper();
  await reaper[Symbol.asyncDispose]();
});

test('a path that is not absolute, or of two lines, is refused', async () => {
  await using reaper = await startReaper();
  for (const path of ['relative', '/a\ndirectory /b', '']) {
    assert.throws(() => {
      reaper.watchDirectory(path);
    }, RangeError);
  }
});
