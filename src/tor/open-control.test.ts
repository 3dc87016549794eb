import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { DialError } from '../io/dial.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { listenUnix } from '../io/unix-socket.ts';
import { connectTorControl, findTorControl } from './open-control.ts';

const signal = AbortSignal.timeout(10_000);

function filesIn(directory: string): { socket: string; cookieFile: string } {
  return { socket: join(directory, 'control'), cookieFile: join(directory, 'cookie') };
}

test('where no tor runs there is none to control', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = filesIn(directory.path);
  assert.equal(await findTorControl({ ...files, signal }), undefined);
  await assert.rejects(connectTorControl({ ...files, signal }), DialError);
});

test('a tor that takes the connection and says nothing is given up when the signal says so', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = filesIn(directory.path);
  await writeFile(files.cookieFile, new Uint8Array(32));
  let closed = false;
  await using server = await listenUnix({
    path: files.socket,
    maxConnections: 1,
    onConnection: (stream) => stream.resume().once('close', () => (closed = true)),
  });
  server.failed.catch(() => undefined);
  const reason = new Error('enough');
  const stop = new AbortController();
  setTimeout(() => {
    stop.abort(reason);
  }, 50);
  await assert.rejects(findTorControl({ ...files, signal: stop.signal }), reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, true);
});
