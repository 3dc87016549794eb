import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { lockFile } from './file-lock.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

test('a file is locked once, by its owner only, until it is released', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'lock');
  {
    await using held = await lockFile(path);
    assert.ok(held);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await lockFile(path), undefined);
  }
  await using again = await lockFile(path);
  assert.ok(again);
});

test('a child that inherited the lock holds it until it is killed', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'lock');
  const held = await lockFile(path);
  assert.ok(held);
  const child = spawn('sleep', ['60'], {
    stdio: ['ignore', 'ignore', 'ignore', held.descriptor],
  });
  await once(child, 'spawn');
  await held[Symbol.asyncDispose]();
  assert.equal(await lockFile(path), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using again = await lockFile(path);
  assert.ok(again);
});
