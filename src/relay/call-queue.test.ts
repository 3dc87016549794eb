import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { BusyError, CallQueue } from './call-queue.ts';

test('no more calls run at once than allowed, and the others follow in the order they came', async () => {
  const queue = new CallQueue({ running: 2, waiting: 10, timeoutMs: 5_000 });
  const started: number[] = [];
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      queue.run(async () => {
        started.push(index);
        most = Math.max(most, ++running);
        await sleep(1);
        running -= 1;
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a call beyond those that may wait is refused at once', async () => {
  const queue = new CallQueue({ running: 1, waiting: 1, timeoutMs: 5_000 });
  const first = queue.run(() => sleep(5, 'first'));
  const second = queue.run(() => Promise.resolve('second'));
  await assert.rejects(
    queue.run(() => Promise.resolve('third')),
    BusyError,
  );
  assert.deepEqual(await Promise.all([first, second]), ['first', 'second']);
});

test('a call that takes too long is aborted, and one that only waited is never started', async () => {
  const queue = new CallQueue({ running: 1, waiting: 1, timeoutMs: 20 });
  let aborted = false;
  const slow = queue.run(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          setTimeout(reject, 10, signal.reason);
        });
      }),
  );
  let started = false;
  const waiting = queue.run(() => {
    started = true;
    return Promise.resolve();
  });
  await Promise.all([assert.rejects(slow, BusyError), assert.rejects(waiting, BusyError)]);
  assert.equal(aborted, true);
  await sleep(15);
  assert.equal(started, false);
  assert.equal(await queue.run(() => Promise.resolve('free again')), 'free again');
});

test('a call that ignores its signal keeps its place, so that no more run than allowed', async () => {
  const queue = new CallQueue({ running: 1, waiting: 1, timeoutMs: 20 });
  let finish: () => void = () => undefined;
  const deaf = queue.run(() => new Promise<void>((resolve) => (finish = resolve)));
  await assert.rejects(deaf, BusyError);
  await assert.rejects(
    queue.run(() => Promise.resolve()),
    BusyError,
  );
  finish();
  assert.equal(await queue.run(() => Promise.resolve('next')), 'next');
});

test('what a call throws reaches its caller and frees its place', async () => {
  const queue = new CallQueue({ running: 1, waiting: 1, timeoutMs: 5_000 });
  await assert.rejects(
    queue.run(() => Promise.reject(new RangeError('no'))),
    RangeError,
  );
  assert.equal(await queue.run(() => Promise.resolve(1)), 1);
});
