import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

const never = new Promise<never>(() => undefined);

test('the promise decides while the signal does not abort, and no listener stays', async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
  await assert.rejects(unlessAborted(Promise.reject(new Error('no')), signal), /no/);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('an abort before or while waiting rejects with its reason', async () => {
  const controller = new AbortController();
  const waiting = unlessAborted(never, controller.signal);
  controller.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
  await assert.rejects(unlessAborted(never, controller.signal), /stop/);
});
