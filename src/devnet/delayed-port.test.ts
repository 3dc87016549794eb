import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'vitest';
import { listenTcp } from '../io/listen.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { startDelayedPort } from './delayed-port.ts';

test('bytes pass both ways unchanged and not before the delay is over', async () => {
  await using echo = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 1,
    onConnection: (stream) => stream.pipe(stream),
  });
  await using delayed = await startDelayedPort({ to: echo, roundTripMs: 60 });
  const stream = await loopbackDial(delayed, {
    signal: AbortSignal.timeout(5000),
    isolation: 'test',
  });
  const start = performance.now();
  stream.write('hello');
  const [answer] = (await once(stream, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'hello');
  assert.ok(performance.now() - start >= 58);
  stream.destroy();
});
