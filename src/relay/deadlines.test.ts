import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

function deadlines(): { items: Deadlines<string>; expired: [string, number][] } {
  const expired: [string, number][] = [];
  const onExpired = (item: string): void => void expired.push([item, Date.now()]);
  return { items: new Deadlines({ timeoutMs: 30_000, clock: Date.now, onExpired }), expired };
}

test('each item expires at its own full time, and one that is deleted never', () => {
  const { items, expired } = deadlines();
  items.add('a');
  vi.advanceTimersByTime(10_000);
  items.add('b');
  items.add('c');
  assert.equal(items.delete('b'), true);
  assert.equal(items.delete('b'), false);
  vi.advanceTimersByTime(19_999);
  assert.deepEqual(expired, []);
  vi.advanceTimersByTime(30_000);
  assert.deepEqual(expired, [
    ['a', 30_000],
    ['c', 40_000],
  ]);
  assert.equal(items.delete('a'), false);
});

test('nothing expires after clearing, and there is one timer for all', () => {
  const { items, expired } = deadlines();
  for (let index = 0; index < 100; index++) items.add(`${index}`);
  assert.equal(vi.getTimerCount(), 1);
  items.clear();
  assert.equal(vi.getTimerCount(), 0);
  vi.advanceTimersByTime(60_000);
  assert.deepEqual(expired, []);
  items.add('after');
  vi.advanceTimersByTime(30_000);
  assert.equal(expired.length, 1);
});
