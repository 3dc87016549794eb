import assert from 'node:assert/strict';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { DialError } from './dial.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { dialUnix, listenUnix } from './unix-socket.ts';

const NEVER = new AbortController().signal;
const echo = {
  maxConnections: 4,
  onConnection: (stream: NodeJS.ReadWriteStream) => void stream.pipe(stream),
};

test('a unix socket passes bytes, is its owner’s only, and is gone after', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 's');
  {
    await using server = await listenUnix({ path, ...echo });
    assert.ok(server);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const stream = await dialUnix(path, NEVER);
    stream.write('hello');
    assert.equal(String((await stream[Symbol.asyncIterator]().next()).value), 'hello');
  }
  await assert.rejects(stat(path), { code: 'ENOENT' });
  await assert.rejects(dialUnix(path, NEVER), DialError);
});

test('what a dead process left is replaced, a living socket and other files are not', async () => {
  await using directory = await makeTemporaryDirectory();
  const [path, other] = [join(directory.path, 's'), join(directory.path, 'other')];
  {
    // Under another name it survives the end of its server.
    await using gone = await listenUnix({ path: other, ...echo });
    assert.ok(gone);
    await rename(other, path);
  }
  await using server = await listenUnix({ path, ...echo });
  assert.ok(server);
  await assert.rejects(listenUnix({ path, ...echo }), UserError);
  await writeFile(other, 'precious');
  await assert.rejects(listenUnix({ path: other, ...echo }), UserError);
  assert.equal(await readFile(other, 'utf8'), 'precious');
});

test('a path that the kernel would cut is refused', async () => {
  await assert.rejects(listenUnix({ path: `/tmp/${'x'.repeat(120)}`, ...echo }), UserError);
});
