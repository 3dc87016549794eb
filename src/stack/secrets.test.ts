import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openNodeKeys } from '../node/node-keys.ts';
import { homeAt } from './home.ts';
import { ensureMarker } from './marker.ts';
import { makeSecrets, onionAddresses, openSecrets } from './secrets.ts';

test('secrets are made once, for this user alone, and are the same from then on', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const made = await makeSecrets(home);
  assert.deepEqual(await openSecrets(home), made);
  assert.deepEqual(await makeSecrets(home), made);
  for (const name of ['wallet.seed', 'p2p.seed', 'rpc-target']) {
    assert.equal((await stat(join(home.secrets, name))).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(home.secrets)).mode & 0o777, 0o700);
});

test('no two onions share a key, no two homes share anything', async () => {
  await using directory = await makeTemporaryDirectory();
  const [one, other] = await Promise.all(
    ['one', 'other'].map((name) => makeSecrets(homeAt(join(directory.path, name)))),
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
  const { onionSeeds } = await makeSecrets(home);
  assert.deepEqual((await openNodeKeys(home.data('node'))).onion, onionSeeds.relay);
});

test.each(['wallet.seed', 'p2p.seed', 'rpc-target'])(
  'a damaged %s is told, and left as it is',
  async (name) => {
    await using directory = await makeTemporaryDirectory();
    const home = homeAt(directory.path);
    await makeSecrets(home);
    const path = join(home.secrets, name);
    await writeFile(path, 'damaged');
    await assert.rejects(openSecrets(home), UserError);
    assert.equal(await readFile(path, 'utf8'), 'damaged');
  },
);

test('a home that has no keys yet gets none by being opened, and is told how', async () => {
  await using directory = await makeTemporaryDirectory();
  await assert.rejects(openSecrets(homeAt(directory.path)), {
    name: 'UserError',
    message: `the server in ${directory.path} has no keys yet`,
    hint: /sotto up/,
  });
  assert.deepEqual(await readdir(directory.path), []);
});

test.each([
  ['secrets', 'secrets/wallet.seed, secrets/p2p.seed'],
  ['secrets/p2p.seed', 'secrets/p2p.seed'],
  [
    'data',
    'data/node/keys/relay-onion.seed, data/node/keys/identity.seed, data/node/keys/reply.seed',
  ],
  ['data/node/keys/identity.seed', 'data/node/keys/identity.seed'],
])(
  'a home whose %s is gone is not opened, and nothing is made in its place',
  async (lost, told) => {
    await using directory = await makeTemporaryDirectory();
    const home = homeAt(directory.path);
    await makeSecrets(home);
    await ensureMarker(directory.path);
    await rm(join(directory.path, lost), { recursive: true });
    const left = await readdir(directory.path, { recursive: true });
    await assert.rejects(openSecrets(home), {
      name: 'UserError',
      message: `the server in ${directory.path} has lost keys: ${told}`,
      hint: /not mounted[^]*sotto restore --replace[^]*\.sotto-server, then: sotto up/,
    });
    assert.deepEqual(await readdir(directory.path, { recursive: true }), left);
  },
);

test('a password that is missing is made anew: it is no part of who the server is', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const made = await makeSecrets(home);
  await ensureMarker(directory.path);
  await rm(join(home.secrets, 'rpc-target'));
  const { onionSeeds, targetRpc } = await openSecrets(home);
  assert.deepEqual(onionSeeds, made.onionSeeds);
  assert.notEqual(targetRpc.password, made.targetRpc.password);
  assert.deepEqual((await openSecrets(home)).targetRpc, targetRpc);
});

test('keys whose making was interrupted are completed, and those that are there stay', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const { onionSeeds } = await makeSecrets(home);
  await rm(home.data('node'), { recursive: true });
  const completed = await makeSecrets(home);
  assert.deepEqual(completed.onionSeeds.wallet, onionSeeds.wallet);
  assert.notDeepEqual(completed.onionSeeds.relay, onionSeeds.relay);
});
