import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, test } from 'vitest';
import { UserError } from '../src/base/errors.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { listenTcp } from '../src/io/listen.ts';
import { socksDial } from '../src/io/socks-dial.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { newClientKey, renderAuthPrivate } from '../src/tor/client-authorization.ts';
import { openSocks, type OpenSocksOptions, type Socks } from '../src/tor/open-socks.ts';
import { type PrivateTorNetwork, startPrivateTorNetwork } from '../src/tor/private-network.ts';
import type { Tor } from '../src/tor/tor-process.ts';
import { torsBelow } from './tor-processes.ts';

const LOOPBACK = '127.0.0.1';
const scope = new Scope();
const onion = {
  seed: new Uint8Array(32).fill(7),
  ports: [{ virtual: 1, target: '127.0.0.1:1' }],
};
let directory: string;
let network: PrivateTorNetwork;
let running: Tor;
/** Something that listens where a tor could, and is none. */
let other: { readonly host: string; readonly port: number };
const silent = { host: LOOPBACK, port: 1 };

beforeAll(async () => {
  const signal = AbortSignal.timeout(120_000);
  directory = scope.use(await makeTemporaryDirectory({ megabytes: 50 })).path;
  network = scope.use(await startPrivateTorNetwork({ directory: `${directory}/net`, signal }));
  running = scope.use(await network.startTor({ name: 'running', onions: [onion], signal }));
  other = scope.use(
    await listenTcp({
      host: LOOPBACK,
      port: 0,
      maxConnections: 10,
      onConnection: (stream) => stream.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    }),
  );
});

afterAll(async () => {
  await scope[Symbol.asyncDispose]();
});

function open(options: Partial<OpenSocksOptions>): Promise<Socks> {
  return openSocks({
    choice: 'auto',
    usual: [],
    directory: `${directory}/own`,
    signal: AbortSignal.timeout(60_000),
    onProgress: () => undefined,
    ...options,
  });
}

test('the first tor that answers is used, past what is no tor', async () => {
  await using socks = await open({ usual: [silent, other, running.socks] });
  assert.deepEqual([socks.address, socks.isOwn], [running.socks, false]);
});

test('without a tor it starts its own, which ends with it', async () => {
  const told: number[] = [];
  {
    await using socks = await open({
      authorities: network.authorities,
      onProgress: ({ percent }) => told.push(percent),
    });
    assert.equal(socks.isOwn, true);
    assert.equal(torsBelow(`${directory}/own`).length, 1);
    const dial = socksDial(socks.address);
    const nobody = { host: `${'a'.repeat(55)}d.onion`, port: 1 };
    const options = { isolation: 'test', signal: AbortSignal.timeout(60_000) };
    await assert.rejects(dial(nobody, options), /mistyped: the checksum is wrong/);
  }
  assert.equal(torsBelow(`${directory}/own`).length, 0);
  assert.equal(told.at(-1), 100);
});

test('a key of a device goes into a tor of its own, although another one runs', async () => {
  const access = { onion: running.onions[0] ?? '', privateKey: newClientKey().privateKey };
  await using socks = await open({
    usual: [running.socks],
    access,
    authorities: network.authorities,
  });
  assert.equal(socks.isOwn, true);
  const file = `${directory}/own/client-keys/${access.onion}.auth_private`;
  assert.equal(readFileSync(file, 'utf8'), renderAuthPrivate(access));
});

test.each([
  ['nothing answers', () => silent, /^no tor answers at 127\.0\.0\.1:1$/],
  ['what answers is no tor', () => other, /does not speak SOCKS as tor does$/],
])('where %s, the port that was named is refused', async (_what, choice, told) => {
  await assert.rejects(open({ choice: choice() }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, told);
    return true;
  });
});

test('a tor of others takes no key', async () => {
  const access = { onion: running.onions[0] ?? '', privateKey: newClientKey().privateKey };
  await assert.rejects(open({ choice: running.socks, access }), /for a tor of the bridge itself/);
});
