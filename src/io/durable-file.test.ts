import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import {
  createSecretFile,
  makePrivateDirectory,
  readIfPresent,
  writeDurably,
} from './durable-file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-durable-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('a file is replaced whole, only its owner can read it, and nothing else is left', async () => {
  const path = join(directory, 'state');
  await writeDurably(path, 'old');
  await writeDurably(path, 'new');
  assert.equal(String(Buffer.from((await readIfPresent(path)) ?? [])), 'new');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(directory), ['state']);
});

test('a secret file is never overwritten', async () => {
  const path = join(directory, 'key');
  await createSecretFile(path, 'first');
  await assert.rejects(createSecretFile(path, 'second'), { code: 'EEXIST' });
  assert.equal(String(Buffer.from((await readIfPresent(path)) ?? [])), 'first');
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith('key')),
    ['key'],
  );
});

test('a failed write leaves the old bytes and no temporary file', async () => {
  const target = join(directory, 'is-a-directory');
  await makePrivateDirectory(join(target, 'below'));
  await assert.rejects(writeDurably(target, 'x'));
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a file that is not there reads as undefined, any other trouble is an error', async () => {
  assert.equal(await readIfPresent(join(directory, 'absent')), undefined);
  await assert.rejects(readIfPresent(directory), { code: 'EISDIR' });
});
