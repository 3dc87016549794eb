import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { lineStream } from '../io/line-stream.ts';
import { ElectrumRpcError } from './rpc-error.ts';
import { type ElectrumHandlers, type ElectrumSession, serveElectrumSession } from './session.ts';
import type { SessionLimits } from './session-limits.ts';

const SCRIPT_HASH = 'ab'.repeat(32);

interface Served {
  readonly session: ElectrumSession;
  readonly stream: Duplex;
  /** Sends a line and returns the parsed next line. */
  readonly ask: (request: unknown) => Promise<unknown>;
  readonly next: () => Promise<unknown>;
  readonly write: (line: string) => void;
}

function serve(handlers: ElectrumHandlers, limits: Partial<SessionLimits> = {}): Served {
  const [stream, serverEnd] = duplexPair();
  const session = serveElectrumSession({
    stream: serverEnd,
    handlers,
    serverName: 'test 1',
    limits,
    log: silent,
  });
  const lines = lineStream(stream, 10_000_000).lines[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    return line.done === true ? undefined : (JSON.parse(line.value) as unknown);
  };
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    session,
    stream,
    next,
    write,
    ask(request) {
      write(JSON.stringify(request));
      return next();
    },
  };
}

const echoScript: ElectrumHandlers = {
  'blockchain.scripthash.subscribe': ({ scripthash }) => scripthash,
  'blockchain.estimatefee': ({ number }) => number,
  'blockchain.block.header': ({ height, cp_height }) => String(height * 10 + cp_height),
};

function resultOf(reply: unknown): unknown {
  return (reply as { result?: unknown }).result;
}

function codeOf(reply: unknown): number | undefined {
  return (reply as { error?: { code: number } }).error?.code;
}

test.each([
  ['1.4', '1.4'],
  ['1.4.2', '1.4.2'],
  [['1.4', '1.6'], '1.6'],
  [['1.3', '1.4.2'], '1.4.2'],
  [['1.2', '1.5'], '1.4.3'],
  [['1.6', '1.7'], '1.6'],
])('a client that asks for version %j gets %s', async (asked, agreed) => {
  const { ask, session } = serve({});
  const reply = await ask({ id: 0, method: 'server.version', params: ['wallet', asked, 'more'] });
  assert.deepEqual(reply, { jsonrpc: '2.0', id: 0, result: ['test 1', agreed] });
  assert.equal(session.protocol, agreed);
});

test.each([['1.3'], ['1.7'], ['2.0'], [['1.1', '1.2']]])(
  'a client that only speaks version %j is told so and disconnected',
  async (asked) => {
    const { ask, session } = serve({});
    assert.equal(codeOf(await ask({ id: 0, method: 'server.version', params: ['w', asked] })), 1);
    await session.closed;
  },
);

test('only the first server.version counts', async () => {
  const { ask, session } = serve({});
  await ask({ id: 0, method: 'server.version', params: ['w', '1.4'] });
  assert.equal(codeOf(await ask({ id: 1, method: 'server.version', params: ['w', '1.6'] })), 1);
  assert.equal(session.protocol, '1.4');
});

test('parameters may be by position, by name, missing or too many', async () => {
  const { ask } = serve(echoScript);
  const header = (params: unknown) => ask({ id: 1, method: 'blockchain.block.header', params });
  assert.equal(resultOf(await header([7])), '70');
  assert.equal(resultOf(await header([7, 9])), '79');
  assert.equal(resultOf(await header([7, 9, 'extra'])), '79');
  assert.equal(resultOf(await header({ cp_height: 8, height: 5, extra: 1 })), '58');
  assert.equal(codeOf(await header([])), -32602);
  assert.equal(codeOf(await header('7')), -32602);
  assert.equal(codeOf(await header([7, -1])), -32602);
  assert.equal(resultOf(await ask({ id: 2, method: 'server.ping' })), null);
});

test.each([['text'], [null], [0], [-5], [1.5]])('the id %j comes back as it was', async (id) => {
  const { ask } = serve({});
  assert.deepEqual(await ask({ id, method: 'server.ping' }), { jsonrpc: '2.0', id, result: null });
});

test('a request without an id is done and not answered', async () => {
  const { ask, write } = serve({});
  write(JSON.stringify({ method: 'server.ping' }));
  assert.deepEqual(await ask({ id: 1, method: 'server.ping' }), {
    jsonrpc: '2.0',
    id: 1,
    result: null,
  });
});

test.each(['no.such.method', '__proto__', 'constructor', 'blockchain.transaction.get'])(
  'the method %s without a handler is unknown',
  async (method) => {
    assert.equal(codeOf(await serve({}).ask({ id: 1, method, params: [] })), -32601);
  },
);

test('a method of another version is unknown', async () => {
  const handlers: ElectrumHandlers = {
    'blockchain.relayfee': () => 0.00001,
    'blockchain.scripthash.unsubscribe': () => true,
  };
  const old = serve(handlers);
  await old.ask({ id: 0, method: 'server.version', params: ['w', '1.4'] });
  const unsubscribe = { id: 1, method: 'blockchain.scripthash.unsubscribe', params: [SCRIPT_HASH] };
  assert.equal(codeOf(await old.ask(unsubscribe)), -32601);
  assert.equal(resultOf(await old.ask({ id: 2, method: 'blockchain.relayfee' })), 0.00001);
  const young = serve(handlers);
  await young.ask({ id: 0, method: 'server.version', params: ['w', '1.6'] });
  assert.equal(resultOf(await young.ask(unsubscribe)), true);
  assert.equal(codeOf(await young.ask({ id: 2, method: 'blockchain.relayfee' })), -32601);
});

test('a batch is answered in one line, in its order', async () => {
  const { ask } = serve(echoScript);
  const batch = Array.from({ length: 500 }, (_, id) => ({
    id,
    method: 'blockchain.estimatefee',
    params: [id + 1],
  }));
  const replies = (await ask(batch)) as { id: number; result: number }[];
  assert.deepEqual(
    replies.map(({ id, result }) => [id, result]),
    batch.map(({ id }) => [id, id + 1]),
  );
});

test('a bad request in a batch spoils only its own reply', async () => {
  const replies = await serve({}).ask([{ id: 1, method: 'server.ping' }, 7, { id: 2 }]);
  assert.deepEqual(
    (replies as { id: unknown }[]).map((reply) => [reply.id, codeOf(reply)]),
    [
      [1, undefined],
      [null, -32600],
      [2, -32600],
    ],
  );
});

test.each([0, 501])('a batch of %i requests is refused', async (length) => {
  const batch = Array.from({ length }, (_, id) => ({ id, method: 'server.ping' }));
  assert.equal(codeOf(await serve({}).ask(batch)), -32600);
});

test('a handler that fails is answered without its words', async () => {
  const { ask } = serve({
    'server.banner': () => Promise.reject(new Error('a secret')),
    'server.donation_address': () => {
      throw new ElectrumRpcError(2, 'daemon error');
    },
  });
  const failed = await ask({ id: 1, method: 'server.banner' });
  assert.equal(codeOf(failed), -32603);
  assert.ok(!JSON.stringify(failed).includes('secret'));
  const refused = await ask({ id: 2, method: 'server.donation_address' });
  assert.deepEqual(refused, {
    jsonrpc: '2.0',
    id: 2,
    error: { code: 2, message: 'daemon error' },
  });
});

test('a slow request does not hold up the next', async () => {
  let finish: (banner: string) => void = () => undefined;
  const { ask, next, write } = serve({
    'server.banner': () => new Promise((resolve) => (finish = resolve)),
  });
  write(JSON.stringify({ id: 1, method: 'server.banner' }));
  assert.equal(((await ask({ id: 2, method: 'server.ping' })) as { id: number }).id, 2);
  finish('hello');
  assert.equal(resultOf(await next()), 'hello');
});

test('a slow batch holds up neither the next request nor the next batch', async () => {
  let finish: (banner: string) => void = () => undefined;
  const { ask, next, write } = serve({
    'server.banner': () => new Promise((resolve) => (finish = resolve)),
  });
  write(JSON.stringify([{ id: 1, method: 'server.banner' }]));
  assert.equal(((await ask({ id: 2, method: 'server.ping' })) as { id: number }).id, 2);
  assert.equal(((await ask([{ id: 3, method: 'server.ping' }])) as { id: number }[])[0]?.id, 3);
  finish('hello');
  assert.equal(resultOf(((await next()) as unknown[])[0]), 'hello');
});

test('what is told after a reply comes after the batch that holds the reply', async () => {
  let finish: (banner: string) => void = () => undefined;
  const { ask, next } = serve({
    'server.banner': () => new Promise((resolve) => (finish = resolve)),
    'blockchain.scripthash.subscribe': (_, { session, afterReply }) => {
      afterReply(() => {
        session.notify('blockchain.scripthash.subscribe', ['a', 'newer']);
      });
      setTimeout(() => {
        finish('hello');
      }, 20);
      return 'old';
    },
  });
  const scripthash = 'aa'.repeat(32);
  const replies = await ask([
    { id: 1, method: 'blockchain.scripthash.subscribe', params: [scripthash] },
    { id: 2, method: 'server.banner' },
  ]);
  assert.deepEqual((replies as unknown[]).map(resultOf), ['old', 'hello']);
  assert.deepEqual(((await next()) as { params: unknown }).params, ['a', 'newer']);
});

test('a client is not heard while as many of its batches are under way as allowed', async () => {
  const finish: ((banner: string) => void)[] = [];
  const { next, write } = serve(
    { 'server.banner': () => new Promise((resolve) => finish.push(resolve)) },
    { maxBatches: 1 },
  );
  write(JSON.stringify([{ id: 1, method: 'server.banner' }]));
  write(JSON.stringify([{ id: 2, method: 'server.banner' }]));
  write(JSON.stringify({ id: 3, method: 'server.ping' }));
  while (finish.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(finish.length, 1);
  finish[0]?.('first');
  assert.equal(resultOf(((await next()) as unknown[])[0]), 'first');
  assert.equal(((await next()) as { id: number }).id, 3);
});

test('no more requests run at once than allowed', async () => {
  let running = 0;
  let most = 0;
  const { next, write } = serve(
    {
      'server.banner': async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return '';
      },
    },
    { maxConcurrent: 3 },
  );
  for (let id = 0; id < 20; id += 1) write(JSON.stringify({ id, method: 'server.banner' }));
  write(JSON.stringify(Array.from({ length: 9 }, (_, id) => ({ id, method: 'server.banner' }))));
  for (let replies = 0; replies < 21; replies += 1) await next();
  assert.equal(most, 3);
});

test('a reply over the limit becomes an error', async () => {
  const { ask } = serve({ 'server.banner': () => 'x'.repeat(2_000) }, { maxReplyBytes: 1_000 });
  assert.equal(codeOf(await ask({ id: 1, method: 'server.banner' })), -32600);
});

test('only a client of exactly 1.4 is spared long replies, and only to single requests', async () => {
  const limits = { maxReplyBytesOf14: 1_000 };
  const banner = { id: 1, method: 'server.banner' };
  for (const [version, code] of [
    ['1.4', -32600],
    ['1.4.2', undefined],
  ] as const) {
    const { ask } = serve({ 'server.banner': () => 'x'.repeat(2_000) }, limits);
    await ask({ id: 0, method: 'server.version', params: ['w', version] });
    assert.equal(codeOf(await ask(banner)), code);
    assert.equal(codeOf(((await ask([banner])) as unknown[])[0]), undefined);
  }
});

test('a batch whose replies pass the limit together has errors for the last ones', async () => {
  const { ask } = serve({ 'server.banner': () => 'x'.repeat(600) }, { maxReplyBytes: 1_500 });
  const request = (id: number) => ({ id, method: 'server.banner' });
  const replies = (await ask([request(1), request(2), request(3)])) as { id: number }[];
  assert.deepEqual(
    replies.map((reply) => [reply.id, codeOf(reply)]),
    [
      [1, undefined],
      [2, undefined],
      [3, -32600],
    ],
  );
});

test('a notification has the method and its parameters', async () => {
  const { session, next } = serve({});
  session.notify('blockchain.scripthash.subscribe', [SCRIPT_HASH, null]);
  assert.deepEqual(await next(), {
    jsonrpc: '2.0',
    method: 'blockchain.scripthash.subscribe',
    params: [SCRIPT_HASH, null],
  });
});

test('a line over the limit ends the connection', async () => {
  const { session, stream } = serve({}, { maxRequestBytes: 1_000 });
  stream.write('x'.repeat(1_001));
  await session.closed;
});

test('a client that sends garbage is disconnected after ten lines', async () => {
  const { session, next, write } = serve({});
  for (let line = 0; line < 10; line += 1) write('GET / HTTP/1.1');
  for (let line = 0; line < 10; line += 1) assert.equal(codeOf(await next()), -32700);
  await session.closed;
});

test('deep nesting is refused like other garbage', async () => {
  const { write, next } = serve({});
  write('['.repeat(400_000));
  assert.equal(codeOf(await next()), -32700);
});

test('a client that reads nothing is disconnected when its replies have waited too long', async () => {
  const { session, write } = serve({ 'server.banner': () => 'x'.repeat(100_000) }, { stallMs: 20 });
  for (let id = 0; id < 10; id += 1) write(JSON.stringify({ id, method: 'server.banner' }));
  await session.closed;
});

test('a client that leaves too many notifications unread is disconnected', async () => {
  const { session } = serve({}, { maxWaitingChars: 10_000 });
  for (let sent = 0; sent < 100; sent += 1) {
    session.notify('blockchain.scripthash.subscribe', [SCRIPT_HASH, SCRIPT_HASH]);
  }
  await session.closed;
});

test.each<[string, Partial<SessionLimits>, (stream: Duplex) => void]>([
  ['a line too long', { maxRequestBytes: 100 }, (stream) => stream.write('x'.repeat(101))],
  ['too many errors', { maxErrors: 1 }, (stream) => stream.write('?\n')],
  [
    'it reads too slowly',
    { stallMs: 20 },
    (stream) => stream.write('{"id":1,"method":"server.banner"}\n'.repeat(9)),
  ],
])('the log says that a client was disconnected for %s', async (reason, limits, misbehave) => {
  const [stream, serverEnd] = duplexPair();
  const reasons: unknown[] = [];
  const { closed } = serveElectrumSession({
    stream: serverEnd,
    handlers: { 'server.banner': () => 'x'.repeat(100_000) },
    serverName: 'test 1',
    limits,
    log: { ...silent, warn: (_, fields) => reasons.push(fields?.['reason']) },
  });
  misbehave(stream);
  await closed;
  assert.deepEqual(reasons, [reason]);
});

test('a client that trickles half a line is disconnected as idle', async () => {
  const { session, stream } = serve({}, { idleMs: 30 });
  const trickle = setInterval(() => stream.write('x'), 5);
  await session.closed;
  clearInterval(trickle);
});

test('the signal of a request aborts when the client goes', async () => {
  let signal: AbortSignal | undefined;
  const { stream, write, session } = serve({
    'server.banner': async (_, context) => {
      signal = context.signal;
      await once(signal, 'abort');
      return '';
    },
  });
  write(JSON.stringify({ id: 1, method: 'server.banner' }));
  await new Promise((resolve) => setImmediate(resolve));
  stream.end();
  await session.closed;
  assert.ok(signal?.aborted);
});

test('requests that wait are given up when the client goes, also when there is no room for more', async () => {
  const { stream, write, session } = serve(
    {
      'server.banner': async (_, { signal }) => {
        await once(signal, 'abort');
        return '';
      },
    },
    { maxConcurrent: 1 },
  );
  for (let id = 0; id < 3; id += 1) write(JSON.stringify({ id, method: 'server.banner' }));
  await new Promise((resolve) => setImmediate(resolve));
  stream.destroy();
  session.close();
  await session.closed;
});
