import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'vitest';
import { DialError } from './dial.ts';
import { listenTcp } from './listen.ts';
import { privateDial } from './private-dial.ts';

const options = { signal: new AbortController().signal, isolation: '' };

test('a private dial opens a stream to its address', async () => {
  await using server = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: (stream) => stream.end('hello'),
  });
  const stream = await privateDial(server)(server, options);
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'hello');
});

test('a private dial refuses every other host and port without a connection', async () => {
  let connections = 0;
  await using server = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: () => (connections += 1),
  });
  const dial = privateDial({ host: '127.0.0.2', port: server.port });
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.02']) {
    await assert.rejects(dial({ host, port: server.port }, options), DialError, host);
  }
  await assert.rejects(dial({ host: '127.0.0.2', port: server.port + 1 }, options), DialError);
  assert.equal(connections, 0);
});

test('names and public addresses are refused before anything is dialled', () => {
  for (const host of ['localhost', 'target', '8.8.8.8', '0.0.0.0', `${'a'.repeat(56)}.onion`]) {
    assert.throws(() => privateDial({ host, port: 50_001 }), RangeError, host);
  }
});
