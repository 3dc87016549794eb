import assert from 'node:assert/strict';
import { test } from 'vitest';
import { BackOff } from './back-off.ts';

test('waits double up to a minute', () => {
  const backOff = new BackOff(() => 1);
  const waits = Array.from({ length: 11 }, () => backOff.after(10));
  assert.deepEqual(waits.slice(0, 4), [250, 500, 1000, 2000]);
  assert.deepEqual(waits.slice(-3), [60_000, 60_000, 60_000]);
});

test('chance takes up to half of a wait away', () => {
  assert.equal(new BackOff(() => 0).after(0), 125);
  assert.equal(new BackOff(() => 0.5).after(0), 188);
});

test('who ran for a minute is started again at once', () => {
  const backOff = new BackOff(() => 1);
  for (let index = 0; index < 8; index++) backOff.after(59_999);
  assert.equal(backOff.after(59_999), 60_000);
  assert.equal(backOff.after(60_000), 250);
  assert.equal(backOff.after(0), 500);
});
