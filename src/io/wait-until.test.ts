import assert from 'node:assert/strict';
import { test } from 'vitest';
import { waitUntil } from './wait-until.ts';

const NEVER = new AbortController().signal;
const options = { what: 'the tide', timeoutMs: 10_000, intervalMs: 1, signal: NEVER };

test('it asks until there is an answer', async () => {
  let asked = 0;
  const answer = await waitUntil(() => (++asked < 3 ? undefined : 'high'), options);
  assert.deepEqual([answer, asked], ['high', 3]);
});

test('when time runs out it says what was awaited, and what there was instead', async () => {
  const low = { ...options, timeoutMs: 0, instead: () => 'it is low' };
  await assert.rejects(
    waitUntil(() => undefined, low),
    {
      name: 'WaitTimeoutError',
      message: 'waited 0 s for the tide in vain: it is low',
    },
  );
});

test('an abort ends the pause between two questions, with its own reason', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const waiting = waitUntil(() => undefined, {
    ...options,
    intervalMs: 60_000,
    signal: stop.signal,
  });
  stop.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
});

test('what the question throws ends the wait', async () => {
  const reason = new Error('no sea');
  await assert.rejects(
    waitUntil(() => Promise.reject(reason), options),
    (error) => error === reason,
  );
});
