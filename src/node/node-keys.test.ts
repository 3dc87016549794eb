import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openNodeKeys, readIdentity } from './node-keys.ts';

test('keys are made once, for their owner only', async () => {
  await using directory = await makeTemporaryDirectory();
  const keys = await openNodeKeys(directory.path);
  assert.equal(new Set(Object.values(keys).map(String)).size, 3);
  assert.deepEqual(await openNodeKeys(directory.path), keys);
  const place = join(directory.path, 'keys');
  assert.equal(statSync(place).mode & 0o777, 0o700);
  const files = readdirSync(place);
  assert.equal(files.length, 3);
  for (const file of files) assert.equal(statSync(join(place, file)).mode & 0o777, 0o600);
});

test('a damaged key is told and left alone', async () => {
  await using directory = await makeTemporaryDirectory();
  await openNodeKeys(directory.path);
  const path = join(directory.path, 'keys', 'reply.seed');
  writeFileSync(path, 'short');
  await assert.rejects(openNodeKeys(directory.path), {
    name: 'UserError',
    message: `${path} is damaged: it has not 32 bytes`,
  });
  assert.equal(readFileSync(path, 'utf8'), 'short');
});

test('a key that is missing is made without touching the others', async () => {
  await using directory = await makeTemporaryDirectory();
  const identity = new Uint8Array(32).fill(7);
  await openNodeKeys(directory.path);
  writeFileSync(join(directory.path, 'keys', 'identity.seed'), identity);
  assert.deepEqual(Uint8Array.from((await openNodeKeys(directory.path)).identity), identity);
});

test('who only reads an identity makes none', async () => {
  await using directory = await makeTemporaryDirectory();
  await assert.rejects(readIdentity(directory.path), {
    name: 'UserError',
    message: `${join(directory.path, 'keys', 'identity.seed')} is missing`,
  });
  assert.deepEqual(readdirSync(directory.path), []);
  const { identity } = await openNodeKeys(directory.path);
  assert.deepEqual(Uint8Array.from(await readIdentity(directory.path)), Uint8Array.from(identity));
});
