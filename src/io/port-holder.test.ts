import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'vitest';
import { findFreePorts } from './free-ports.ts';
import { listenTcp } from './listen.ts';
import { findPortHolder, isTaken } from './port-holder.ts';

const server = { port: 0, maxConnections: 1, onConnection: () => undefined };

test('who listens at a port is told, wherever on this machine it listens', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1']) {
    await using listening = await listenTcp({ ...server, host });
    const address = { host: '127.0.0.1', port: listening.port };
    assert.ok(await isTaken(address));
    assert.equal((await findPortHolder(address))?.pid, process.pid);
  }
});

test('a free port is nobody’s, and so is one of another address', async () => {
  const [free = 0] = await findFreePorts(1);
  assert.equal(await findPortHolder({ host: '127.0.0.1', port: free }), undefined);
  await using listening = await listenTcp({ ...server, host: '127.0.0.2' });
  assert.equal(await isTaken({ host: '127.0.0.1', port: listening.port }), false);
});
