import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'vitest';
import { DialError } from './dial.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { torGet } from './tor-get.ts';

const signal = AbortSignal.timeout(10_000);

/** Reads exactly what a SOCKS client sends next. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes) return bytes;
    await once(socket, 'readable', { signal });
  }
}

test('the name goes to tor as it is, over its unix socket, with the word that isolates', async () => {
  await using directory = await makeTemporaryDirectory();
  const socksPath = join(directory.path, 'socks');
  const server = createServer();
  server.listen(socksPath);
  await once(server, 'listening');
  const asked = torGet({
    ...{ socksPath, isolation: 'update a.example', maxReplyBytes: 100, signal },
    url: 'https://a.example/latest',
  });
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [, methods = 0] = await read(socket, 2);
  await read(socket, methods);
  socket.write(Buffer.from([5, 2]));
  const [, nameLength = 0] = await read(socket, 2);
  assert.equal(String(await read(socket, nameLength)), 'sotto');
  const [passwordLength = 0] = await read(socket, 1);
  assert.equal(String(await read(socket, passwordLength)), 'update a.example');
  socket.write(Buffer.from([1, 0]));
  const DOMAIN_NAME = 3;
  const [, , , type, hostLength = 0] = await read(socket, 5);
  assert.equal(type, DOMAIN_NAME);
  assert.equal(String(await read(socket, hostLength)), 'a.example');
  assert.equal((await read(socket, 2)).readUInt16BE(), 443);
  // Refused by the exit.
  socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]));
  await assert.rejects(
    asked,
    (error) => error instanceof DialError && error.message.includes('a.example'),
  );
  server.close();
});

test('without a tor there is no answer, and no other way is tried', async () => {
  await using directory = await makeTemporaryDirectory();
  await assert.rejects(
    torGet({
      socksPath: join(directory.path, 'nobody'),
      url: 'https://a.example/',
      isolation: 'x',
      maxReplyBytes: 100,
      signal,
    }),
    DialError,
  );
});
