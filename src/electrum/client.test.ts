import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { lineStream } from '../io/line-stream.ts';
import { type ElectrumClient, startElectrumClient } from './client.ts';
import { type ElectrumClientCode, ElectrumClientError } from './client-error.ts';
import { ElectrumRpcError } from './rpc-error.ts';
import { type ElectrumHandlers, serveElectrumSession } from './session.ts';

const SCRIPT_HASH = 'ab'.repeat(32);
const signal = new AbortController().signal;

interface Answered {
  readonly id: number;
  readonly method: string;
}

type Script = (request: Answered, stream: Duplex) => void;

interface TestServer {
  readonly dial: () => Promise<Duplex>;
  /** The server's ends of the connections so far. */
  readonly streams: Duplex[];
}

/** Agrees on version 1.4, then leaves the requests to the script. */
function scripted(script: Script): TestServer {
  const streams: Duplex[] = [];
  const dial = (): Promise<Duplex> => {
    const [near, far] = duplexPair();
    streams.push(far);
    void (async () => {
      for await (const line of lineStream(far, 1_000_000).lines) {
        const request = JSON.parse(line) as Answered;
        if (request.method === 'server.version')
          reply(far, { id: request.id, result: ['t', '1.4'] });
        else script(request, far);
      }
    })();
    return Promise.resolve(near);
  };
  return { dial, streams };
}

function reply(stream: Duplex, message: unknown): void {
  stream.write(`${JSON.stringify(message)}\n`);
}

function start(
  dial: () => Promise<Duplex>,
  options: { timeoutMs?: number; onReconnect?: () => void } = {},
): Promise<ElectrumClient> {
  const { timeoutMs = 5000 } = options;
  return startElectrumClient({ clientName: 'c', log: silent, signal, ...options, dial, timeoutMs });
}

function serving(handlers: ElectrumHandlers): Promise<ElectrumClient> {
  return start(() => {
    const [near, stream] = duplexPair();
    serveElectrumSession({ stream, handlers, serverName: 'test 1', log: silent });
    return Promise.resolve(near);
  });
}

function failsWith(code: ElectrumClientCode): (error: unknown) => boolean {
  return (error) => error instanceof ElectrumClientError && error.code === code;
}

test('it agrees with the server on the newest version', async () => {
  await using client = await serving({});
  assert.deepEqual([client.protocol, client.serverName], ['1.6', 'test 1']);
});

test('hundreds of calls are in flight at once, answered in any order', async () => {
  let waiting = 0;
  let most = 0;
  await using client = await serving({
    'blockchain.estimatefee': async ({ number }) => {
      most = Math.max(most, (waiting += 1));
      await new Promise((resolve) => setTimeout(resolve, number % 7));
      waiting -= 1;
      return number;
    },
  });
  const numbers = Array.from({ length: 500 }, (_, index) => index + 1);
  const answers = await Promise.all(
    numbers.map((number) => client.call('blockchain.estimatefee', { number })),
  );
  assert.deepEqual(answers, numbers);
  assert.ok(most > 50);
});

test('calls of one turn leave in one write', async () => {
  const chunks: string[] = [];
  const { dial, streams } = scripted(() => undefined);
  await using client = await start(dial);
  streams[0]?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const calls = Array.from({ length: 50 }, () => client.call('server.ping', {}).catch(() => null));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(
    chunks.map((chunk) => chunk.split('\n').length),
    [51],
  );
  await client[Symbol.asyncDispose]();
  await Promise.all(calls);
});

test('an error of the server keeps its code, and its words are made printable', async () => {
  const { dial } = scripted(({ id }, stream) => {
    reply(stream, { id, error: { code: 2, message: 'no\u001b[31m' } });
  });
  await using client = await start(dial);
  await assert.rejects(
    client.call('server.banner', {}),
    (error) => error instanceof ElectrumRpcError && error.code === 2 && error.message === 'no [31m',
  );
});

test.each([
  ['of the wrong type', 7],
  ['of the wrong length', 'abc'],
  ['that is missing', undefined],
])('a result %s is refused', async (_, result) => {
  const { dial } = scripted(({ id }, stream) => {
    reply(stream, { id, result });
  });
  await using client = await start(dial);
  const history = client.call('blockchain.scripthash.subscribe', { scripthash: SCRIPT_HASH });
  await assert.rejects(history, failsWith('bad-reply'));
});

test.each([
  ['an id that was never asked', '{"id":99,"result":null}'],
  ['an id of the wrong type', '{"id":"1","result":null}'],
  ['what is not JSON', 'garbage'],
  ['a list', '[]'],
  ['null', 'null'],
])('a server that sends %s is left', async (_, line) => {
  const { dial } = scripted((__, stream) => {
    stream.write(`${line}\n`);
  });
  await using client = await start(dial);
  await assert.rejects(client.call('server.ping', {}), failsWith('bad-reply'));
});

test('a server that sends too long a line is left', async () => {
  const { dial } = scripted((_, stream) => {
    stream.write(Buffer.alloc(8_200_000, 'x'));
  });
  await using client = await start(dial);
  await assert.rejects(client.call('server.ping', {}), failsWith('bad-reply'));
});

test('a server that sends half a line and hangs up fails the calls', async () => {
  const { dial } = scripted((_, stream) => {
    stream.end('{"id":1,"resu');
  });
  await using client = await start(dial);
  await assert.rejects(client.call('server.ping', {}), failsWith('disconnected'));
});

test('a call without an answer times out, and its late answer is dropped', async () => {
  let late: Answered | undefined;
  const { dial } = scripted((request, stream) => {
    if (request.method === 'server.banner') late = request;
    else {
      reply(stream, { id: late?.id, result: 'late' });
      reply(stream, { id: request.id, result: null });
    }
  });
  await using client = await start(dial);
  const banner = client.call('server.banner', {}, { timeoutMs: 20 });
  await assert.rejects(banner, failsWith('timeout'));
  assert.equal(await client.call('server.ping', {}), null);
});

test('a call stops with the reason of its signal', async () => {
  const { dial } = scripted(() => undefined);
  await using client = await start(dial);
  const stop = new AbortController();
  const call = client.call('server.ping', {}, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(call, /enough/);
  await assert.rejects(client.call('server.ping', {}, { signal: stop.signal }), /enough/);
});

test('after the server hung up, calls wait for the next connection', async () => {
  const { dial, streams } = scripted(({ id }, stream) => {
    reply(stream, { id, result: null });
  });
  let reconnections = 0;
  await using client = await start(dial, { onReconnect: () => (reconnections += 1) });
  streams[0]?.end();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await client.call('server.ping', {}), null);
  assert.deepEqual([streams.length, reconnections], [2, 1]);
});

test('a server that falls silent is left for a new connection', async () => {
  const leaves = async (): Promise<void> => {
    const { dial, streams } = scripted(({ id }, stream) => {
      if (stream === streams[1]) reply(stream, { id, result: null });
    });
    await using client = await start(dial, { timeoutMs: 400 });
    await assert.rejects(client.call('server.ping', {}), failsWith('timeout'));
    assert.equal(await client.call('server.ping', {}), null);
  };
  // Timers are early by up to a millisecond, sometimes.
  await Promise.all(Array.from({ length: 100 }, leaves));
});

test('well-formed notifications reach their listeners until these stop', async () => {
  const { dial, streams } = scripted(({ id }, stream) => {
    reply(stream, { id, result: null });
  });
  await using client = await start(dial);
  const heard: unknown[] = [];
  const method = 'blockchain.scripthash.subscribe';
  const stop = client.on(method, (params) => heard.push(params));
  const [stream] = streams;
  assert.ok(stream);
  reply(stream, { method, params: [SCRIPT_HASH, null] });
  reply(stream, { method, params: ['short', null] });
  reply(stream, { method: 'unknown', params: [] });
  await client.call('server.ping', {});
  stop();
  reply(stream, { method, params: [SCRIPT_HASH, null] });
  await client.call('server.ping', {});
  assert.deepEqual(heard, [[SCRIPT_HASH, null]]);
});

test('a server of another version is refused', async () => {
  const dial = (): Promise<Duplex> => {
    const [near, far] = duplexPair();
    reply(far, { id: 0, result: ['t', '1.5'] });
    return Promise.resolve(near);
  };
  await assert.rejects(start(dial), failsWith('no-common-protocol'));
});

test('a server that does not answer the first request is given up', async () => {
  const dial = (): Promise<Duplex> => Promise.resolve(duplexPair()[0]);
  await assert.rejects(start(dial, { timeoutMs: 20 }), failsWith('timeout'));
});

test('closing the client ends its calls, also those that wait for a connection', async () => {
  const { dial } = scripted(() => undefined);
  const client = await start(dial);
  const call = client.call('server.ping', {});
  call.catch(() => undefined);
  await client[Symbol.asyncDispose]();
  await assert.rejects(call, failsWith('disconnected'));
  await assert.rejects(client.call('server.ping', {}), failsWith('disconnected'));
});
