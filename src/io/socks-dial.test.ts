import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { DialError } from './dial.ts';
import { listenTcp, type TcpServer } from './listen.ts';
import { socksDial } from './socks-dial.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { listenUnix } from './unix-socket.ts';

const onion = { host: `${'a'.repeat(55)}d.onion`, port: 50010 };
const options = { signal: AbortSignal.timeout(10_000), isolation: 'wallet' };
const GRANTED = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

interface Seen {
  connections: number;
  bytes: Buffer;
}

/** A SOCKS server that sends these bytes, each run once something new has come in. */
async function fakeTor(runs: readonly (readonly number[])[]): Promise<TcpServer & { seen: Seen }> {
  const seen: Seen = { connections: 0, bytes: Buffer.alloc(0) };
  const server = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 4,
    onConnection: (stream: Duplex) => {
      seen.connections++;
      const left = [...runs];
      stream.on('data', (chunk: Buffer) => {
        seen.bytes = Buffer.concat([seen.bytes, chunk]);
        const run = left.shift();
        if (run) stream.write(Uint8Array.from(run));
      });
    },
  });
  return { ...server, seen };
}

test('it names the onion and sends the isolation word as password', async () => {
  await using tor = await fakeTor([[5, 2], [1, 0], GRANTED]);
  const stream = await socksDial(tor)(onion, options);
  stream.destroy();
  const expected = [
    [5, 1, 2],
    [1, 5, ...Buffer.from('sotto'), 6, ...Buffer.from('wallet')],
    [5, 1, 0, 3, 62, ...Buffer.from(onion.host), 50010 >> 8, 50010 & 0xff],
  ];
  assert.deepEqual([...tor.seen.bytes], expected.flat());
});

test('bytes that come with the reply wait for their reader', async () => {
  const hello = Buffer.from('hello');
  await using tor = await fakeTor([
    [5, 2],
    [1, 0],
    [...GRANTED, ...hello],
  ]);
  const stream = await socksDial(tor)(onion, options);
  await sleep(20);
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  assert.deepEqual(chunk, hello);
});

test('a reply may come byte by byte', async () => {
  await using tor = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: (stream) => {
      const write = async (): Promise<void> => {
        for (const byte of [5, 2, 1, 0, ...GRANTED]) {
          stream.write(Uint8Array.of(byte));
          await sleep(1);
        }
      };
      void write();
    },
  });
  (await socksDial(tor)(onion, options)).destroy();
});

test("tor's extended errors come as plain words", async () => {
  const words: [code: number, reason: RegExp][] = [
    [0x05, /nothing listens/],
    [0xf0, /no descriptor/],
    [0xf1, /descriptor is broken/],
    [0xf2, /introduction points did not answer/],
    [0xf3, /meeting point/],
    [0xf4, /add your access key/],
    [0xf5, /access key of this tor is wrong/],
    [0xf6, /mistyped/],
    [0xf7, /in time/],
    [0x7f, /code 127/],
  ];
  for (const [code, reason] of words) {
    await using tor = await fakeTor([
      [5, 2],
      [1, 0],
      [5, code, 0, 1, 0, 0, 0, 0, 0, 0],
    ]);
    await assert.rejects(
      socksDial(tor)(onion, options),
      (error) => error instanceof DialError && reason.test(error.message),
    );
  }
});

test('no other host makes it connect to the proxy', async () => {
  await using tor = await fakeTor([]);
  const hosts = [
    'example.com',
    '127.0.0.1',
    '::1',
    'localhost',
    'expyuzz4wqqyqhjn.onion',
    `${'a'.repeat(56)}.onion`,
    `www.${onion.host}`,
    `${onion.host}.example.com`,
    onion.host.toUpperCase(),
  ];
  for (const host of hosts) {
    await assert.rejects(socksDial(tor)({ host, port: 443 }, options), DialError);
  }
  assert.equal(tor.seen.connections, 0);
});

test('a proxy that does not speak as tor does is refused', async () => {
  for (const runs of [
    [[4, 2]],
    [[5, 0]],
    [
      [5, 2],
      [1, 1],
    ],
    [
      [5, 2],
      [1, 0],
      [5, 0, 0, 9, 0, 0],
    ],
  ]) {
    await using tor = await fakeTor(runs);
    await assert.rejects(socksDial(tor)(onion, options), DialError);
  }
});

test('a proxy that hangs up half-way is refused', async () => {
  await using tor = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: (stream) => stream.end(Uint8Array.of(5)),
  });
  await assert.rejects(socksDial(tor)(onion, options), DialError);
});

test('where no tor runs, the error says so', async () => {
  const tor = await fakeTor([]);
  await tor[Symbol.asyncDispose]();
  await assert.rejects(socksDial(tor)(onion, options), /no tor answers/);
});

test('a tor that listens on a unix socket is asked there', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = `${directory.path}/socks`;
  const replies = [Uint8Array.of(5, 2), Uint8Array.of(1, 0), Uint8Array.from(GRANTED)];
  await using tor = await listenUnix({
    path,
    maxConnections: 1,
    onConnection: (stream) => stream.on('data', () => stream.write(replies.shift() ?? '')),
  });
  tor.failed.catch(() => undefined);
  (await socksDial({ path })(onion, options)).destroy();
  assert.equal(replies.length, 0);
  const nobody = socksDial({ path: `${path}-of-nobody` });
  await assert.rejects(nobody(onion, options), /no tor answers at .*socks-of-nobody/);
});

test('a dial that waits ends with the reason of its signal', async () => {
  await using tor = await fakeTor([[5, 2]]);
  const stop = new AbortController();
  const dialled = socksDial(tor)(onion, { ...options, signal: stop.signal });
  const reason = new Error('stopped');
  setTimeout(() => {
    stop.abort(reason);
  }, 20);
  await assert.rejects(dialled, reason);
});
