import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { type Child, startChild } from './child-process.ts';
import { startReaper } from './reaper.ts';

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
