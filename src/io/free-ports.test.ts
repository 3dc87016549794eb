import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'vitest';
import { findFreePorts } from './free-ports.ts';
import { listenTcp } from './listen.ts';

test('the ports are in a row and can be listened on', async () => {
  const ports = await findFreePorts(6);
  const [first = 0] = ports;
  assert.deepEqual(
    ports,
    [0, 1, 2, 3, 4, 5].map((index) => first + index),
  );
  for (const port of ports) {
    const options = { host: '127.0.0.1', port, maxConnections: 1, onConnection: () => undefined };
    await using server = await listenTcp(options);
    assert.equal(server.port, port);
  }
});

test('no other process is given them, although nobody listens yet', async () => {
  for (const port of await findFreePorts(3)) {
    const other = createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true });
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'EADDRINUSE');
    other.close();
  }
});
