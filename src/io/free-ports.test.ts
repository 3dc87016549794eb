import assert from 'node:assert/strict';
import { test } from 'vitest';
import { findFreePorts } from './free-ports.ts';
import { listenTcp } from './listen.ts';

test('the ports are different and can be listened on', async () => {
  const ports = await findFreePorts(6);
  assert.equal(new Set(ports).size, 6);
  for (const port of ports) {
    const options = { host: '127.0.0.1', port, maxConnections: 1, onConnection: () => undefined };
    await using server = await listenTcp(options);
    assert.equal(server.port, port);
  }
});
