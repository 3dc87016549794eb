import assert from 'node:assert/strict';
import { test } from 'vitest';
import { findFreePorts } from './free-ports.ts';
import { listenTcp, type TcpServer } from './listen.ts';
import { tryToDial, tryToResolve } from './reach.ts';
import { askSocks } from './socks-request.ts';

const HOST = '127.0.0.1';
const TIMEOUT_MS = 2_000;

/** A proxy that takes every greeting and gives each request this answer. */
async function startProxy(reply: number | undefined): Promise<TcpServer> {
  return listenTcp({
    host: HOST,
    port: 0,
    maxConnections: 10,
    onConnection: (stream) => {
      stream.once('data', () => {
        stream.write(Uint8Array.of(5, 0));
        stream.once('data', () => {
          if (reply === undefined) stream.destroy();
          else stream.write(Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
        });
      });
    },
  });
}

test('who answers and who refuses are told apart from silence', async () => {
  await using server = await startProxy(0);
  assert.equal(await tryToDial(server, TIMEOUT_MS), 'opened');
  const [port = 0] = await findFreePorts(1);
  assert.equal(await tryToDial({ host: HOST, port }, TIMEOUT_MS), 'refused');
  // No stream goes to everybody.
  assert.equal(await tryToDial({ host: '255.255.255.255', port: 9 }, 200), 'silent');
});

test('a name that no server answers is not resolved', async () => {
  const [port = 0] = await findFreePorts(1);
  const servers = [`${HOST}:${port}`];
  assert.equal(await tryToResolve('example.com', { servers, timeoutMs: 200 }), false);
});

test('what a proxy answers to each kind of request is handed back', async () => {
  const NOT_ALLOWED = 2;
  for (const reply of [0, NOT_ALLOWED, undefined]) {
    await using proxy = await startProxy(reply);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = { proxy, port: 443, signal };
    assert.equal(await askSocks({ ...request, command: 'connect', host: '1.1.1.1' }), reply);
    assert.equal(await askSocks({ ...request, command: 'resolve', host: 'example.com' }), reply);
  }
});
