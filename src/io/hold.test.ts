import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { Hold } from './hold.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('items leave at their moment, those of one moment together', () => {
  const batches: string[][] = [];
  const hold = new Hold<string>({ clock: Date.now, release: (items) => batches.push(items) });
  hold.add('late', 1_500);
  hold.add('early', 1_200);
  hold.add('late too', 1_500);
  vi.advanceTimersByTime(199);
  assert.equal(batches.length, 0);
  vi.advanceTimersByTime(1);
  assert.equal(batches.map((items) => items.join()).join(';'), 'early');
  vi.advanceTimersByTime(300);
  assert.equal(batches.length, 2);
  assert.equal(batches[1]?.toSorted().join(), 'late,late too');
});

test('items of one moment leave in every order, equally often', () => {
  const orders = new Map<string, number>();
  const hold = new Hold<string>({
    clock: Date.now,
    release: (items) => orders.set(items.join(''), (orders.get(items.join('')) ?? 0) + 1),
  });
  for (let round = 0; round < 6_000; round++) {
    for (const item of 'abc') hold.add(item, Date.now() + 1);
    vi.advanceTimersByTime(1);
  }
  assert.equal(orders.size, 6);
  for (const count of orders.values()) assert.ok(Math.abs(count - 1_000) < 200, `${count}`);
});

test('what is due already leaves after this turn of the event loop', async () => {
  const batches: string[][] = [];
  const hold = new Hold<string>({ clock: Date.now, release: (items) => batches.push(items) });
  hold.add('a', 1_000);
  assert.deepEqual(batches, []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(batches, [['a']]);
});

test('what is held when it is cleared never leaves', async () => {
  const batches: string[][] = [];
  const hold = new Hold<string>({ clock: Date.now, release: (items) => batches.push(items) });
  hold.add('now', 1_000);
  hold.add('later', 2_000);
  hold.clear();
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(5_000);
  assert.deepEqual(batches, []);
});

test('items of a window leave in every order, equally often, and within it', () => {
  vi.setSystemTime(1_001);
  const orders = new Map<string, number>();
  let order = '';
  const hold = new Hold<string>({
    clock: Date.now,
    release: (items) => (order += items.join('')),
  });
  for (let round = 0; round < 6_000; round++) {
    order = '';
    for (const item of 'abc') hold.addWithin(item, 50);
    vi.advanceTimersByTime(60);
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 6);
  for (const count of orders.values()) assert.ok(Math.abs(count - 1_000) < 200, `${count}`);
});
