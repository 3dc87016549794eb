import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openNodeKeys } from '../node/node-keys.ts';
import { homeAt } from './home.ts';
import { onionAddresses, openSecrets } from './secrets.ts';

test('secrets are made once, for this user alone, and are the same from then on', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const made = await openSecrets(home);
  assert.deepEqual(await openSecrets(home), made);
  for (const name of ['wallet.seed', 'p2p.seed', 'rpc-target']) {
    assert.equal((await stat(join(home.secrets, name))).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(home.secrets)).mode & 0o777, 0o700);
});

test('no two onions share a key, no two homes share anything', async () => {
  await using directory = await makeTemporaryDirectory();
  const [one, other] = await Promise.all(
    ['one', 'other'].map((name) => openSecrets(homeAt(join(directory.path, name)))),
  );
  assert.ok(one && other);
  const all = [onionAddresses(one), onionAddresses(other)].flatMap((each) => Object.values(each));
  assert.equal(new Set(all).size, 6);
  assert.notEqual(one.targetRpc.password, other.targetRpc.password);
  assert.notEqual(one.targetRpc.salt, other.targetRpc.salt);
});

test('the key of the relay onion is the one that the node signs with', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const { onionSeeds } = await openSecrets(home);
  assert.deepEqual((await openNodeKeys(home.data('node'))).onion, onionSeeds.relay);
});

test.each(['wallet.seed', 'p2p.seed', 'rpc-target'])(
  'a damaged %s is told, and left as it is',
  async (name) => {
    await using directory = await makeTemporaryDirectory();
    const home = homeAt(directory.path);
    await openSecrets(home);
    const path = join(home.secrets, name);
    await writeFile(path, 'damaged');
    await assert.rejects(openSecrets(home), UserError);
    assert.equal(await readFile(path, 'utf8'), 'damaged');
  },
);
