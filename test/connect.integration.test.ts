import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, test, vi } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { connectCommand } from '../src/cli/commands/connect.ts';
import { RegtestChain } from '../src/devnet/chain.ts';
import { startChainServer } from '../src/devnet/chain-server.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import type { TcpServer } from '../src/io/listen.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { listenUnix } from '../src/io/unix-socket.ts';
import { homeAt } from '../src/stack/home.ts';
import { openStack } from '../src/stack/open-stack.ts';
import { makeSecrets } from '../src/stack/secrets.ts';

const NEVER = new AbortController().signal;
const scope = new Scope();

afterEach(async () => {
  vi.restoreAllMocks();
  await scope[Symbol.asyncDispose]();
});

/** A home with a server's keys, in which nothing runs. */
async function newHome(lines: readonly string[] = []): Promise<string> {
  const { path } = scope.use(await makeTemporaryDirectory());
  const config = ['network: regtest', 'target: devnet', 'backend: process', ...lines];
  writeFileSync(join(path, 'sotto.yaml'), `${config.join('\n')}\n`);
  await makeSecrets(homeAt(path));
  return path;
}

async function electrumServer(port = 0): Promise<TcpServer> {
  const chain = new RegtestChain({ seed: new Uint8Array(32), clock: Date.now });
  chain.mine(7);
  return scope.use(await startChainServer({ chain, host: '127.0.0.1', port, log: silent }));
}

/** In place of tor: grants every connection, leads it to the server, and keeps who was asked for. */
async function fakeTor(home: string, server: TcpServer): Promise<readonly string[]> {
  const asked: string[] = [];
  const { torSocks } = homeAt(home);
  mkdirSync(join(torSocks, '..'), { recursive: true, mode: 0o700 });
  const answers = [
    [5, 2],
    [1, 0],
    [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ];
  const tor = await listenUnix({
    path: torSocks,
    maxConnections: 4,
    onConnection: (stream) => {
      let step = 0;
      const shake = (chunk: Buffer): void => {
        stream.write(Uint8Array.from(answers[step] ?? []));
        step += 1;
        if (step < answers.length) return;
        stream.off('data', shake);
        asked.push(chunk.subarray(5, -2).toString());
        void loopbackDial(server, { signal: NEVER, isolation: '' }).then((target) => {
          stream.pipe(target).pipe(stream);
        });
      };
      stream.on('data', shake);
    },
  });
  scope.use(tor);
  return asked;
}

/** What `sotto connect` prints. */
async function connect(home: string, ...args: readonly string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const command = connectCommand().exitOverride();
  await command.parseAsync([...args, '--home', home], { from: 'user' });
  return written.join('');
}

test('what a wallet needs is printed after the server answered through its own onion', async () => {
  const home = await newHome();
  const asked = await fakeTor(home, await electrumServer());
  const { plan } = await openStack(home, { log: silent });
  const onion = plan.onions.wallet;
  const told = JSON.parse(await connect(home, '--json')) as Record<string, unknown>;
  const { tested, height, port, server, uri, needsDeviceKey } = told;
  assert.deepEqual(asked, [onion]);
  assert.deepEqual(
    { onion: told['onion'], tested, height, port, server, uri, needsDeviceKey },
    {
      onion,
      tested: true,
      height: 7,
      port: 50_001,
      server: `${onion}:50001:t`,
      uri: `tcp://${onion}:50001`,
      needsDeviceKey: true,
    },
  );
});

test('one wallet’s part is for that wallet, and tells of the device’s key', async () => {
  const home = await newHome();
  const text = await connect(home, 'sparrow', '--no-test');
  assert.match(text, /Sparrow/);
  assert.doesNotMatch(text, /BlueWallet|electrum --/);
  assert.match(text, /sotto device add NAME/);
  const open = await connect(await newHome(['open_wallet: true']), 'sparrow', '--no-test');
  assert.doesNotMatch(open, /device/);
});

test('a program is told what the bridge asks that answers', async () => {
  const told = async (lines: string[]): Promise<unknown> =>
    (JSON.parse(await connect(await newHome(lines), '--no-test', '--json')) as { bridge?: unknown })
      .bridge;
  assert.equal(await told(['bridge: {}']), 'direct');
  assert.equal(await told([]), undefined);
});

test('a server that does not answer is said to, and its strings are not shown', async () => {
  const home = await newHome();
  await assert.rejects(connect(home), {
    name: 'UserError',
    message: /^the server does not answer at its onion: no tor answers at /,
    hint: /sotto up[^]*--no-test/,
  });
  const told = JSON.parse(await connect(home, '--no-test', '--json')) as { tested: boolean };
  assert.equal(told.tested, false);
});

test('a server of another network is not shown to wallets', async () => {
  const { path } = scope.use(await makeTemporaryDirectory());
  writeFileSync(join(path, 'sotto.yaml'), 'network: signet\nbackend: process\n');
  await makeSecrets(homeAt(path));
  await fakeTor(path, await electrumServer());
  await assert.rejects(connect(path), { message: 'what answers at its onion is not of signet' });
});

test('the local network has strings of its own, when the server is exposed there', async () => {
  await assert.rejects(connect(await newHome(), '--lan'), { hint: /expose_lan/ });
  const [port = 0] = await findFreePorts(1);
  const home = await newHome([`expose_lan: 127.0.0.1:${port}`]);
  await assert.rejects(connect(home, '--lan'), { message: /does not answer at 127\.0\.0\.1/ });
  await electrumServer(port);
  const told = JSON.parse(await connect(home, '--lan', '--json')) as Record<string, unknown>;
  assert.deepEqual(
    [told['host'], told['port'], told['tested'], told['needsDeviceKey'], told['onion']],
    ['127.0.0.1', port, true, false, undefined],
  );
});
