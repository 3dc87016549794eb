import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { Doorway, type DoorwayOptions } from './doorway.ts';

interface Visit {
  readonly stream: Duplex;
  /** Resolves when the visitor has left or was closed out. */
  readonly done: Promise<void>;
}

interface House {
  readonly doorway: Doorway;
  readonly visit: () => Visit;
  /** What was handed on of each wallet. */
  readonly served: string[];
  readonly warnings: string[];
}

function house(options: Partial<DoorwayOptions> = {}): House {
  const served: string[] = [];
  const warnings: string[] = [];
  const doorway = new Doorway({
    maxWallets: 2,
    maxSilent: 3,
    silentMs: 10_000,
    serve: async (stream) => {
      stream.once('data', (chunk) => served.push(String(chunk)));
      await once(stream, 'end');
    },
    log: { ...silent, warn: (message) => warnings.push(message) },
    ...options,
  });
  const visit = (): Visit => {
    const [stream, end] = duplexPair();
    stream.on('error', () => undefined);
    return { stream, done: doorway.enter(end) };
  };
  return { doorway, visit, served, warnings };
}

test.each(['{"id":1}\n', '[{"id":1}]\n'])('what begins with %j comes in whole', async (line) => {
  const { visit, served, warnings } = house();
  const { stream, done } = visit();
  stream.end(line);
  await done;
  assert.deepEqual(served, [line]);
  assert.deepEqual(warnings, []);
});

test.each([
  'GET / HTTP/1.1\r\n\r\n',
  'POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n\n{"id":1,"method":"server.banner"}\n',
  'OPTIONS / HTTP/1.1\r\nAccess-Control-Request-Private-Network: true\r\n\r\n',
  ' {"id":1}\n',
  '\n{"id":1}\n',
])('what begins otherwise is closed without an answer: %j', async (line) => {
  const { visit, served, warnings } = house();
  const { stream, done } = visit();
  const heard: unknown[] = [];
  stream.on('data', (chunk) => heard.push(chunk));
  stream.write(line);
  await done;
  assert.deepEqual(served, []);
  assert.deepEqual(heard, []);
  assert.equal(warnings.length, 1);
});

test('a wallet that wants TLS is refused in words that say so', async () => {
  const { visit, warnings } = house();
  const { stream, done } = visit();
  stream.end(Buffer.of(0x16, 3, 1));
  await done;
  assert.match(warnings.join(), /TLS/);
});

test('who says nothing is closed after a while, and not worth a warning', async () => {
  const { visit, warnings, doorway } = house({ silentMs: 10 });
  await visit().done;
  assert.deepEqual(warnings, []);
  assert.equal(doorway.connections, 0);
});

test('who comes when too many say nothing takes the place of the first, and is served', async () => {
  const { visit, doorway, served } = house();
  const visits = [1, 2, 3, 4].map(() => visit());
  await visits[0]?.done;
  assert.equal(doorway.connections, 3);
  visits[3]?.stream.end('{}');
  await visits[3]?.done;
  assert.deepEqual(served, ['{}']);
  for (const { stream } of visits) stream.end();
});

test('no more wallets come in than can be served, until one leaves', async () => {
  const { visit, doorway, served, warnings } = house();
  const [first, second, third] = [1, 2, 3].map(() => visit());
  first?.stream.write('{1');
  second?.stream.write('{2');
  await new Promise((resolve) => setImmediate(resolve));
  third?.stream.write('{3');
  await third?.done;
  assert.equal(warnings.length, 1);
  assert.equal(doorway.wallets, 2);
  first?.stream.end();
  await first?.done;
  const fourth = visit();
  fourth.stream.end('{4');
  await fourth.done;
  second?.stream.end();
  await doorway.empty();
  assert.deepEqual(served, ['{1', '{2', '{4']);
  assert.equal(doorway.connections, 0);
});
