import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import type { StackConfig } from '../../config/stack-config.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { homeAt } from '../home.ts';
import { beforeTor } from './before-tor.ts';

test('tor forgets what it was asked to, and nothing but that', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const config = { openWallet: true } as StackConfig;
  const tor = home.data('tor');
  const state = join(tor, 'state');
  for (const name of ['run', 'state/keys', 'state/diff-cache', 'onions/wallet']) {
    await mkdir(join(tor, name), { recursive: true });
  }
  await writeFile(join(tor, 'onions/wallet/hs_ed25519_secret_key'), 'key');
  await writeFile(join(state, 'keys/key'), 'key');
  await writeFile(join(state, 'diff-cache/a'), '');
  await writeFile(join(state, 'state'), 'Guard');
  await symlink(join(tor, 'onions'), join(state, 'link'));
  const before = (await readdir(tor, { recursive: true })).sort();
  await beforeTor({ home, config });
  assert.deepEqual((await readdir(tor, { recursive: true })).sort(), before);
  await writeFile(join(tor, 'run/wipe-state'), '');
  await beforeTor({ home, config });
  assert.deepEqual((await readdir(tor, { recursive: true })).sort(), [
    ...['onions', 'onions/wallet', 'onions/wallet/hs_ed25519_secret_key'],
    ...['run', 'state', 'state/keys', 'state/keys/key'],
  ]);
});

test('tor does not start with a private onion that no device has a key to', async () => {
  await using directory = await makeTemporaryDirectory();
  const config = { openWallet: false } as StackConfig;
  await assert.rejects(beforeTor({ home: homeAt(directory.path), config }), /open to everyone/);
});
