import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { encodeCbor } from '../base/cbor.ts';
import { UserError } from '../base/errors.ts';
import { openCacheKey, unsealCacheKey } from './cache-key.ts';

const PASSPHRASE = { passphrase: 'correct horse', logN: 10 };

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'cache-key-')), 'state');
});

afterEach(async () => {
  await rm(join(directory, '..'), { recursive: true });
});

test('a key is made once, in a file for its owner only', async () => {
  const key = await openCacheKey(directory);
  assert.equal(key.length, 32);
  assert.deepEqual(new Uint8Array(await openCacheKey(directory)), new Uint8Array(key));
  const path = join(directory, 'histories.key');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a key file of another length is refused', async () => {
  await openCacheKey(directory);
  await writeFile(join(directory, 'histories.key'), 'short');
  await assert.rejects(openCacheKey(directory), /histories\.key is damaged/);
});

test('the same passphrase opens a sealed key again, and another one says that it is wrong', async () => {
  const key = await unsealCacheKey(directory, PASSPHRASE);
  const path = join(directory, 'histories.key.sealed');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(path)).includes(Buffer.from(key)));
  assert.deepEqual(await unsealCacheKey(directory, PASSPHRASE), key);
  await assert.rejects(unsealCacheKey(directory, { passphrase: 'correct house' }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /the passphrase is wrong, or .* is damaged/);
    return true;
  });
});

test('a key is never kept both ways', async () => {
  await openCacheKey(directory);
  await assert.rejects(unsealCacheKey(directory, PASSPHRASE), /are not sealed with a passphrase/);
  await rm(join(directory, 'histories.key'));
  await unsealCacheKey(directory, PASSPHRASE);
  await assert.rejects(openCacheKey(directory), /are sealed with a passphrase/);
});

test('a sealed key that asks for more work than this machine may do is refused at once', async () => {
  await unsealCacheKey(directory, PASSPHRASE);
  const salt = new Uint8Array(16);
  const costly = [40, 8, 1, salt, new Uint8Array(12), new Uint8Array(48)];
  await writeFile(join(directory, 'histories.key.sealed'), encodeCbor(costly));
  await assert.rejects(unsealCacheKey(directory, PASSPHRASE), /sealed is damaged/);
});
