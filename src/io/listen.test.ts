import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'vitest';
import { DialError, parseAddress } from './dial.ts';
import { listenTcp } from './listen.ts';
import { loopbackDial } from './loopback-dial.ts';
import { waitUntil, WaitTimeoutError } from './wait-until.ts';

const options = { signal: AbortSignal.timeout(5000), isolation: 'test' };

test('a server passes streams on, and disposing it ends them and frees the port', async () => {
  const server = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 4,
    onConnection: (stream) => stream.pipe(stream),
  });
  const stream = await loopbackDial(server, options);
  stream.write('hello');
  const [echo] = (await once(stream, 'data')) as [Buffer];
  assert.equal(echo.toString(), 'hello');
  const closed = once(stream, 'close');
  await server[Symbol.asyncDispose]();
  await closed;
  await assert.rejects(loopbackDial(server, options), DialError);
});

test('a port in use is an error of listening, not of the process', async () => {
  const listen = (port: number): ReturnType<typeof listenTcp> =>
    listenTcp({ host: '127.0.0.1', port, maxConnections: 1, onConnection: () => undefined });
  await using first = await listen(0);
  await assert.rejects(listen(first.port), { code: 'EADDRINUSE' });
});

test('the loopback dial leaves this machine for nobody', async () => {
  await assert.rejects(loopbackDial({ host: '192.0.2.1', port: 80 }, options), DialError);
});

test('an address is host and port, nothing less', () => {
  assert.deepEqual(parseAddress('127.0.0.1:9050'), { host: '127.0.0.1', port: 9050 });
  for (const text of ['', 'host', 'host:', ':1', 'host:0', 'host:65536', 'a b:1', 'a:1:2']) {
    assert.throws(() => parseAddress(text), RangeError, text);
  }
});

test('waiting ends with the answer, with the time, or with the signal', async () => {
  const settings = { what: 'rain', timeoutMs: 30, intervalMs: 1, signal: options.signal };
  let asked = 0;
  assert.equal(await waitUntil(() => (++asked === 3 ? 'wet' : undefined), settings), 'wet');
  await assert.rejects(
    waitUntil(() => undefined, settings),
    (error) => error instanceof WaitTimeoutError && error.message.includes('rain'),
  );
  await assert.rejects(
    waitUntil(() => undefined, { ...settings, instead: () => 'the sun shines' }),
    /^WaitTimeoutError: waited 0 s for rain in vain: the sun shines$/,
  );
  const aborted = AbortSignal.abort(new Error('stop'));
  await assert.rejects(
    waitUntil(() => 1, { ...settings, signal: aborted }),
    /stop/,
  );
});
