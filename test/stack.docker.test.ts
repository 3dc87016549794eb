import assert from 'node:assert/strict';
import { access, appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import type { Finding } from '../src/stack/finding.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { docker, dockerTest, hasDocker } from './docker-engine.ts';
import { type DockerStack, startDockerStack } from './docker-stack.ts';
import {
  assertKeptOut,
  callWallet,
  untilAnswered,
  untilAskedForKey,
  type WalletCall,
} from './wallet-calls.ts';

// One life of a personal server, in the order of the tests: each goes on where the one before ended.

const SERVICES = ['tor', 'watchdog', 'target', 'node'];
const BYSTANDER = `bystander-${process.pid}`;
const signal = AbortSignal.timeout(1_500_000);
const scope = new Scope();
let stack: DockerStack;
let before: string;
let phone: Tor;
let stranger: Tor;
let wallet: Connection;

interface Connection {
  readonly onion: string;
  readonly port: number;
  readonly tested: boolean;
  readonly devices: readonly string[];
}

beforeAll(async () => {
  if (!hasDocker) return;
  stack = scope.use(await startDockerStack(signal));
  // Things of someone else, which must be there in the end as they are now.
  scope.use({
    [Symbol.asyncDispose]: () => {
      removeBystanders();
      return Promise.resolve();
    },
  });
  docker('network', 'create', BYSTANDER);
  docker('volume', 'create', BYSTANDER);
  before = whatDockerHolds();
});

afterAll(() => scope[Symbol.asyncDispose]());

function removeBystanders(): void {
  docker('network', 'rm', BYSTANDER);
  docker('volume', 'rm', BYSTANDER);
}

/** Containers, networks and volumes of everyone but other tests. */
function whatDockerHolds(): string {
  const mine = [stack.project, BYSTANDER];
  return [
    docker('ps', '--all', '--format', 'container {{.Names}}'),
    docker('network', 'ls', '--format', 'network {{.Name}}'),
    docker('volume', 'ls', '--format', 'volume {{.Name}}'),
  ]
    .flatMap((list) => list.split('\n'))
    .filter((line) => mine.some((name) => line.includes(name)))
    .sort()
    .join('\n');
}

function from(tor: Tor): WalletCall {
  return { tor, onion: { host: wallet.onion, port: wallet.port }, signal };
}

async function findings(command: 'doctor' | 'verify'): Promise<readonly Finding[]> {
  const { stdout, stderr } = await stack.sotto(command, '--json');
  try {
    return (JSON.parse(stdout) as { findings: Finding[] }).findings;
  } catch (cause) {
    throw new Error(`${command} printed no JSON: ${stderr}`, { cause });
  }
}

function failed(all: readonly Finding[]): string[] {
  return all.filter(({ verdict }) => verdict === 'fail').map(({ id, found }) => `${id}: ${found}`);
}

async function connection(): Promise<Connection> {
  return JSON.parse(await stack.succeed('connect', '--json')) as Connection;
}

dockerTest('init and up end with a target that answers through its own onion', async () => {
  await stack.succeed(
    ...['init', '--network', 'regtest', '--target', 'devnet', '--yes'],
    ...['--project', stack.project, '--network-prefix', stack.networkPrefix],
    ...['--tor-test-network', stack.testNetworkFile],
  );
  const lines = (await stack.succeed('up', '--json')).trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '') as { ready?: boolean };
  assert.equal(last.ready, true);
  wallet = await connection();
  assert.match(wallet.onion, /^[a-z2-7]{56}\.onion$/);
  assert.equal(wallet.tested, true);
});

dockerTest('a device with a key reaches the wallet onion, a stranger does not', async () => {
  const { line } = JSON.parse(await stack.succeed('device', 'add', 'phone', '--json')) as {
    line: string;
  };
  [phone, stranger] = (await scope.useAll([
    stack.startClient('phone', [line]),
    stack.startClient('stranger', []),
  ])) as [Tor, Tor];
  assert.ok((await untilAnswered(from(phone))) > 0);
  await untilAskedForKey(from(stranger));
});

dockerTest('a device that is revoked is out within seconds', async () => {
  const start = performance.now();
  await stack.succeed('device', 'revoke', 'phone');
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 30, `it took ${seconds} s`);
  await assertKeptOut(from(phone));
  const { line } = JSON.parse(await stack.succeed('device', 'add', 'tablet', '--json')) as {
    line: string;
  };
  const tablet = scope.use(await stack.startClient('tablet', [line]));
  await untilAnswered(from(tablet));
  await assertKeptOut(from(phone));
  phone = tablet;
});

dockerTest('doctor finds nothing that must not be, verify says what is not pinned', async () => {
  assert.deepEqual(failed(await findings('doctor')), []);
  const verified = await findings('verify');
  assert.deepEqual(failed(verified), []);
  const tor = verified.find(({ id }) => id === 'image-tor');
  assert.match(tor?.found ?? '', /made here upon/);
});

dockerTest('doctor fails when a container is put on an open network', async () => {
  const target = `${stack.project}-target-1`;
  docker('network', 'connect', 'bridge', target);
  try {
    const found = failed(await findings('doctor'));
    for (const id of ['isolation', 'networks']) {
      assert.ok(
        found.some((each) => each.startsWith(id)),
        id,
      );
    }
  } finally {
    docker('network', 'disconnect', 'bridge', target);
  }
});

dockerTest('doctor fails when a port is published that nobody asked for', async () => {
  const override = join(stack.directory, 'published.yaml');
  await writeFile(override, "services: { target: { ports: ['127.0.0.1::50001'] } }\n");
  docker(
    ...['compose', '--project-directory', stack.home.directory],
    ...['--file', stack.home.composeFile, '--file', override],
    ...['up', '--detach', '--no-deps', 'target'],
  );
  assert.ok(failed(await findings('doctor')).some((found) => found.startsWith('ports')));
  await stack.succeed('up');
});

dockerTest('doctor fails when the wallet onion has no keys', async () => {
  const keys = join(stack.home.onion('wallet'), 'authorized_clients');
  await rename(keys, `${keys}.away`);
  try {
    assert.ok(
      failed(await findings('doctor')).some((found) => found.startsWith('wallet-onion-keys')),
    );
  } finally {
    await rename(`${keys}.away`, keys);
  }
});

dockerTest('a killed process of any container comes back by itself', async () => {
  const pidOf = (service: string): number =>
    Number(docker('inspect', '--format', '{{.State.Pid}}', `${stack.project}-${service}-1`));
  for (const service of SERVICES) {
    const pid = pidOf(service);
    process.kill(pid, 'SIGKILL');
    await waitUntil(
      () => {
        const now = pidOf(service);
        return Promise.resolve((now !== 0 && now !== pid) || undefined);
      },
      { what: `${service} to come back`, timeoutMs: 60_000, intervalMs: 200, signal },
    );
  }
  await untilAnswered(from(phone));
});

dockerTest('down and `docker compose up` by hand give the same server again', async () => {
  await stack.succeed('down');
  assert.equal(docker('ps', '--all', '--quiet', '--filter', `name=${stack.project}`), '');
  docker('compose', '--project-directory', stack.home.directory, 'up', '--detach', '--quiet-pull');
  assert.ok((await untilAnswered(from(phone))) > 0);
  await stack.succeed('up');
  assert.equal((await connection()).onion, wallet.onion);
});

dockerTest(
  'with a bridge the same onion and key lead to it, and nothing more gets out',
  async () => {
    await appendFile(stack.home.configFile, '\nbridge: {}\n');
    await stack.succeed('up');
    assert.equal((await connection()).onion, wallet.onion);
    await untilAnswered(from(phone));
    await using client = await callWallet(from(phone));
    assert.match(client.serverName, /bridge/i);
    const isolation = ['isolation', 'networks', 'ports', 'hardening', 'wallet-onion-keys'];
    const found = (await findings('doctor')).filter(({ id }) => isolation.includes(id));
    assert.deepEqual(failed(found), []);
    assert.equal(found.length, isolation.length);
  },
);

dockerTest('backup, destroy, restore and up give the same onions and devices', async () => {
  const passphraseFile = join(stack.directory, 'passphrase');
  const wrongFile = join(stack.directory, 'wrong');
  const file = join(stack.directory, 'server.backup');
  await writeFile(passphraseFile, 'four words are enough\n', { mode: 0o600 });
  await writeFile(wrongFile, 'four other words here\n', { mode: 0o600 });
  await stack.succeed('backup', file, '--passphrase-file', passphraseFile);
  await stack.succeed('destroy', '--yes');
  assert.equal(whatDockerHolds(), before);
  await assert.rejects(access(stack.home.directory));

  const bytes = await readFile(file);
  const damaged = join(stack.directory, 'damaged.backup');
  bytes.writeUInt8((bytes.at(-20) ?? 0) ^ 1, bytes.length - 20);
  await writeFile(damaged, bytes);
  assert.notEqual((await stack.sotto('restore', file, '--passphrase-file', wrongFile)).code, 0);
  assert.notEqual(
    (await stack.sotto('restore', damaged, '--passphrase-file', passphraseFile)).code,
    0,
  );
  await assert.rejects(access(stack.home.directory));

  await stack.succeed('restore', file, '--passphrase-file', passphraseFile);
  await stack.succeed('up');
  const { onion, devices } = await connection();
  assert.equal(onion, wallet.onion);
  assert.deepEqual(devices, ['tablet']);
  await untilAnswered(from(phone));
});

dockerTest('destroy leaves nothing of ours and touches nothing else', async () => {
  await stack.succeed('destroy', '--yes');
  assert.equal(whatDockerHolds(), before);
  await assert.rejects(access(stack.home.directory));
});
