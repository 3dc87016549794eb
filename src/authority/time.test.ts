import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { byDeadline, reach, steadyTime, wallTime } from './time.ts';

const { signal } = new AbortController();

test('a time that has passed is not waited for', async () => {
  await wallTime.sleepUntil(wallTime.now() - 1, signal);
});

test('a sleep ends at its time, and at once when aborted', async () => {
  const untilMs = wallTime.now() + 20;
  await wallTime.sleepUntil(untilMs, signal);
  assert.ok(wallTime.now() >= untilMs);
  const reason = new Error('enough');
  const end = new AbortController();
  const sleeping = wallTime.sleepUntil(Infinity, end.signal);
  end.abort(reason);
  await assert.rejects(sleeping, { name: 'AbortError', cause: reason });
});

test('a sleep ends when the clock is set back by far, and not when by little', async () => {
  const now = vi.spyOn(Date, 'now');
  try {
    const atMs = wallTime.now();
    now.mockReturnValue(atMs);
    let isAwake = false;
    const sleeping = wallTime.sleepUntil(atMs + 3_600_000, signal).then(() => (isAwake = true));
    now.mockReturnValue(atMs - 59_000);
    await sleep(1100);
    assert.equal(isAwake, false);
    now.mockReturnValue(atMs - 61_000);
    await sleeping;
    const setBack = { now: Date.now, sleepUntil: () => Promise.resolve() };
    await assert.rejects(reach(atMs, setBack, signal), { message: 'the clock was set back' });
  } finally {
    now.mockRestore();
  }
});

test('the steady time goes on at its pace, in whole milliseconds, whatever the clock is set to', async () => {
  const now = vi.spyOn(Date, 'now');
  try {
    const atMs = steadyTime.now();
    for (const byMs of [-86_400_000, 86_400_000]) {
      now.mockReturnValue(atMs + byMs);
      const startMs = steadyTime.now();
      await steadyTime.sleepUntil(startMs + 20, signal);
      const tookMs = steadyTime.now() - startMs;
      assert.ok(Number.isInteger(tookMs) && tookMs >= 20 && tookMs < 10_000, `${tookMs} ms`);
    }
  } finally {
    now.mockRestore();
  }
});

test('work that is done in time gives its result, and its signal aborts', async () => {
  const deadlineMs = wallTime.now() + 60_000;
  let inner: AbortSignal | undefined;
  const result = await byDeadline({ deadlineMs, time: wallTime, signal }, (given) => {
    inner = given;
    return Promise.resolve(7);
  });
  assert.equal(result, 7);
  assert.equal(inner?.aborted, true);
});

test('work that takes too long is not waited for', async () => {
  const deadlineMs = wallTime.now() + 10;
  const stalled = byDeadline(
    { deadlineMs, time: wallTime, signal },
    () => new Promise<never>(() => undefined),
  );
  await assert.rejects(stalled, { message: 'not in time' });
});
