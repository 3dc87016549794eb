import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { test } from 'vitest';
import { listenTcp, type TcpServer } from './listen.ts';
import { speaksSocks } from './speaks-socks.ts';

const signal = AbortSignal.timeout(10_000);

async function server(onConnection: (stream: Duplex) => void): Promise<TcpServer> {
  return await listenTcp({ host: '127.0.0.1', port: 0, maxConnections: 4, onConnection });
}

/** Answers what comes first. */
async function answering(bytes: string | Uint8Array): Promise<TcpServer> {
  return await server((stream) => {
    stream.once('data', () => stream.write(bytes));
  });
}

test('what takes a name and a password, as tor does, speaks SOCKS', async () => {
  await using tor = await answering(Uint8Array.of(5, 2));
  assert.equal(await speaksSocks(tor, signal), 'socks');
});

test.each([
  ['a proxy that takes no names', Uint8Array.of(5, 0xff)],
  ['a proxy that chooses what was not offered', Uint8Array.of(5, 0)],
  ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
])('%s is something else', async (_what, bytes) => {
  await using other = await answering(bytes);
  assert.equal(await speaksSocks(other, signal), 'other');
});

test('what hangs up is something else', async () => {
  await using other = await server((stream) => stream.destroy());
  assert.equal(await speaksSocks(other, signal), 'other');
});

test('what says nothing is something else, after a while', async () => {
  await using other = await server((stream) => stream.resume());
  assert.equal(await speaksSocks(other, signal), 'other');
});

test('a port that nothing listens at is silent', async () => {
  const { port, ...gone } = await answering('');
  await gone[Symbol.asyncDispose]();
  assert.equal(await speaksSocks({ host: '127.0.0.1', port }, signal), 'silent');
});

test('it gives up with the reason of the signal', async () => {
  await using other = await server((stream) => stream.resume());
  const controller = new AbortController();
  const asked = speaksSocks(other, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
});
