import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { parseYaml } from '../config/load-yaml.ts';
import { type StackConfig, stackConfigSchema } from '../config/stack-config.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { planDestruction, removeDoomed } from './destroy.ts';
import { claimDirectory, newMarker, renderMarker } from './marker.ts';

const FILES = [
  'sotto.yaml',
  '.env',
  'compose.yaml',
  'secrets/wallet.seed',
  'config/tor/torrc',
  'data/tor/onions/wallet/hs_ed25519_secret_key',
  'data/tor/onions/wallet/authorized_clients/phone.auth',
  'data/tor/client-keys/wallet.auth_private',
  'data/tor/state/state',
  'data/node/keys/identity.seed',
  'data/bitcoind/blocks/blk00000.dat',
  'logs/tor.log',
  'run/supervisor.lock',
  'initial-sync-done',
];

interface Server {
  readonly parent: string;
  readonly home: string;
  readonly config: StackConfig;
}

async function withServer(
  settings: (parent: string) => string,
  run: (server: Server) => Promise<void>,
): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  const { path: parent } = directory;
  const home = join(parent, 'server');
  const marker = newMarker();
  for (const path of FILES) await put(join(home, path));
  await put(join(home, '.sotto-server'), renderMarker(marker));
  await mkdir(join(parent, 'disk'));
  await claimDirectory(join(parent, 'disk', 'bitcoind'), marker);
  await put(join(parent, 'disk', 'bitcoind', 'blocks', 'blk00000.dat'));
  await put(join(parent, 'disk', 'photos', 'holiday.jpg'));
  await put(join(parent, 'disk', 'target', 'of-another'));
  const config = parseYaml({ path: 'x', text: settings(parent), schema: stackConfigSchema });
  await run({ parent, home, config });
}

async function put(path: string, text = 'x'): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

const plain = (): string => 'network: signet\n';

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

test('all of a server goes, and nothing beside it', async () => {
  await withServer(plain, async ({ parent, home, config }) => {
    await removeDoomed(await planDestruction(home, { config, keepKeys: false }));
    assert.deepEqual(await readdir(parent), ['disk']);
    assert.equal((await filesBelow(join(parent, 'disk'))).length, 4);
  });
});

test('what goes is told with its size before anything goes', async () => {
  await withServer(plain, async ({ home, config }) => {
    const { doomed } = await planDestruction(home, { config, keepKeys: false });
    assert.ok(doomed.some(({ path, megabytes }) => path === join(home, 'data') && megabytes > 0));
    assert.equal((await filesBelow(home)).length, FILES.length + 1);
  });
});

test('with --keep-keys what makes the server the same again stays, and that alone', async () => {
  await withServer(plain, async ({ home, config }) => {
    await removeDoomed(await planDestruction(home, { config, keepKeys: true }));
    assert.deepEqual(await filesBelow(home), [
      '.sotto-server',
      'data/node/keys/identity.seed',
      'data/tor/client-keys/wallet.auth_private',
      'data/tor/onions/wallet/authorized_clients/phone.auth',
      'secrets/wallet.seed',
      'sotto.yaml',
    ]);
  });
});

test('files of the person in the home stay, and so does the home', async () => {
  await withServer(plain, async ({ home, config }) => {
    await put(join(home, 'notes.txt'));
    const destruction = await planDestruction(home, { config, keepKeys: false });
    assert.deepEqual(destruction.kept, [
      { path: join(home, 'notes.txt'), because: 'not of our making' },
    ]);
    await removeDoomed(destruction);
    assert.deepEqual(await filesBelow(home), ['notes.txt']);
  });
});

test('keys that are not in the home are told', async () => {
  await withServer(plain, async ({ home, config }) => {
    const { absentKeys } = await planDestruction(home, { config, keepKeys: true });
    const absent = [
      'secrets/p2p.seed',
      'data/node/keys/relay-onion.seed',
      'data/node/keys/reply.seed',
    ];
    assert.deepEqual(
      absentKeys,
      absent.map((path) => join(home, path)),
    );
  });
});

test('in storage only the directories go that this server made', async () => {
  const settings = (parent: string): string => `network: signet\nstorage: ${parent}/disk\n`;
  await withServer(settings, async ({ parent, home, config }) => {
    await removeDoomed(await planDestruction(home, { config, keepKeys: false }));
    assert.deepEqual(await filesBelow(join(parent, 'disk')), [
      'photos/holiday.jpg',
      'target/of-another',
    ]);
  });
});

test('a directory in storage that another server made stays', async () => {
  const settings = (parent: string): string => `network: signet\nstorage: ${parent}/disk\n`;
  await withServer(settings, async ({ parent, home, config }) => {
    await put(join(parent, 'disk', 'bitcoind', '.sotto-server'), renderMarker(newMarker()));
    await removeDoomed(await planDestruction(home, { config, keepKeys: false }));
    assert.equal((await filesBelow(join(parent, 'disk'))).length, 4);
  });
});

test('bitcoin_data stays, even if it carries our marker', async () => {
  const settings = (parent: string): string =>
    `network: signet\nbitcoin_data: ${parent}/disk/bitcoind\n`;
  await withServer(settings, async ({ parent, home, config }) => {
    await put(
      join(parent, 'disk', 'bitcoind', '.sotto-server'),
      await readFile(join(home, '.sotto-server'), 'utf8'),
    );
    await removeDoomed(await planDestruction(home, { config, keepKeys: false }));
    assert.ok((await filesBelow(join(parent, 'disk'))).includes('bitcoind/blocks/blk00000.dat'));
  });
});

test('a directory without our marker is refused', async () => {
  await withServer(plain, async ({ parent, config }) => {
    await assert.rejects(
      planDestruction(join(parent, 'disk'), { config, keepKeys: false }),
      /is not a home that Sotto made/,
    );
  });
});
