import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { parseYaml } from '../config/load-yaml.ts';
import { stackConfigSchema } from '../config/stack-config.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { writePlan, type WritePlanOptions } from './apply.ts';
import { homeAt } from './home.ts';
import { makePlan } from './plan.ts';
import { makeSecrets, onionAddresses } from './secrets.ts';

async function stackIn(
  directory: string,
  yaml: string,
  initialSyncDone = false,
): Promise<WritePlanOptions> {
  const home = homeAt(directory);
  const secrets = await makeSecrets(home);
  const plan = makePlan({
    config: parseYaml({ path: 'sotto.yaml', text: yaml, schema: stackConfigSchema }),
    home,
    facts: {
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      memoryMiB: 16_384,
      onions: onionAddresses(secrets),
      targetRpc: secrets.targetRpc,
      initialSyncDone,
      images: { tor: 't', bitcoind: 'b', target: 'f', node: 'n' },
    },
  });
  return { plan, secrets };
}

const FULCRUM = 'network: regtest\nbackend: process\n';

test('what is there is not written again, and what was interrupted is completed', async () => {
  await using directory = await makeTemporaryDirectory();
  const stack = await stackIn(directory.path, FULCRUM);
  assert.deepEqual(await writePlan(stack), ['tor', 'bitcoind', 'target', 'node']);
  assert.deepEqual(await writePlan(stack), []);
  await rm(join(stack.plan.home.config('target'), 'rpc-cookie'));
  assert.deepEqual(await writePlan(stack), ['target']);
});

test('only the services whose files are others than before are named', async () => {
  await using directory = await makeTemporaryDirectory();
  await writePlan(await stackIn(directory.path, FULCRUM));
  assert.deepEqual(await writePlan(await stackIn(directory.path, FULCRUM, true)), ['bitcoind']);
});

test('files of an earlier plan are removed', async () => {
  await using directory = await makeTemporaryDirectory();
  const { plan } = await stackIn(directory.path, FULCRUM);
  await writePlan(await stackIn(directory.path, FULCRUM));
  await writePlan(await stackIn(directory.path, `${FULCRUM}target: electrs\n`));
  assert.deepEqual((await readdir(plan.home.config('target'))).sort(), [
    'electrs.toml',
    'rpc-cookie',
  ]);
});

test('directories and files are for this user alone', async () => {
  await using directory = await makeTemporaryDirectory();
  const stack = await stackIn(directory.path, FULCRUM);
  await writePlan(stack);
  const modes = async (path: string): Promise<readonly string[]> => {
    const held = await stat(path);
    const own = [`${(held.mode & 0o777).toString(8)} ${path}`];
    if (!held.isDirectory()) return own;
    const names = await readdir(path);
    return [...own, ...(await Promise.all(names.map((name) => modes(join(path, name))))).flat()];
  };
  const all = await modes(directory.path);
  assert.deepEqual(
    all.filter((line) => !/^(700|600) /.test(line)),
    [],
  );
  assert.ok(all.length > 30);
});

test('tor finds each onion’s own key', async () => {
  await using directory = await makeTemporaryDirectory();
  const stack = await stackIn(directory.path, FULCRUM);
  await writePlan(stack);
  const { home } = stack.plan;
  const keyOf = (path: string): Promise<Buffer> => readFile(join(path, 'hs_ed25519_secret_key'));
  const [wallet, relay, p2p, open] = await Promise.all(
    [
      home.onion('wallet'),
      home.onion('relay'),
      home.onion('p2p'),
      join(home.data('tor'), 'onions', 'open-wallet'),
    ].map(keyOf),
  );
  assert.deepEqual(open, wallet);
  assert.equal(new Set([wallet, relay, p2p].map((key) => key?.toString('hex'))).size, 3);
});

test('a disk that is not mounted is not filled in for', async () => {
  await using directory = await makeTemporaryDirectory();
  const storage = join(directory.path, 'disk');
  const home = join(directory.path, 'home');
  const stack = await stackIn(home, `${FULCRUM}storage: ${storage}\n`);
  await assert.rejects(writePlan(stack), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /there is no directory .*disk\/bitcoind/);
    return true;
  });
  await mkdir(join(storage, 'bitcoind'), { recursive: true });
  await mkdir(join(storage, 'target'));
  await writePlan(stack);
});

test('with Docker the home holds what docker compose reads', async () => {
  await using directory = await makeTemporaryDirectory();
  const stack = await stackIn(directory.path, 'network: signet\nexpose_lan: 192.168.1.5:50001\n');
  await writePlan(stack);
  const { composeFile, environmentFile } = stack.plan.home;
  assert.match(await readFile(composeFile, 'utf8'), /^services:$/m);
  assert.match(await readFile(environmentFile, 'utf8'), /^COMPOSE_PROFILES=core,lan$/m);
});

test('a damaged key of the only device is replaced before tor could open the onion', async () => {
  await using directory = await makeTemporaryDirectory();
  const stack = await stackIn(directory.path, FULCRUM);
  await writePlan(stack);
  const auth = join(stack.plan.home.onion('wallet'), 'authorized_clients', 'sotto.auth');
  const made = await readFile(auth, 'utf8');
  await writeFile(auth, 'damaged');
  assert.deepEqual(await writePlan(stack), ['tor']);
  assert.equal(await readFile(auth, 'utf8'), made);
});
