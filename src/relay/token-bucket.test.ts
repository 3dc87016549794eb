import assert from 'node:assert/strict';
import { test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

function bucketAt(start: number) {
  const time = { now: start };
  return { time, bucket: new TokenBucket({ perSecond: 10, burst: 3, clock: () => time.now }) };
}

function taken(bucket: TokenBucket): number {
  let count = 0;
  while (bucket.take()) count += 1;
  return count;
}

test('many at once pass together or not at all', () => {
  const { time, bucket } = bucketAt(5_000);
  assert.equal(bucket.take(4), false);
  assert.equal(bucket.take(2), true);
  assert.equal(bucket.take(2), false);
  time.now += 100;
  assert.equal(bucket.take(2), true);
});

test('lets the burst through at once and then the rate', () => {
  const { time, bucket } = bucketAt(5_000);
  assert.equal(taken(bucket), 3);
  time.now += 99;
  assert.equal(taken(bucket), 0);
  time.now += 1;
  assert.equal(taken(bucket), 1);
  time.now += 200;
  assert.equal(taken(bucket), 2);
});

test('saves up no more than the burst', () => {
  const { time, bucket } = bucketAt(0);
  time.now += 3_600_000;
  assert.equal(taken(bucket), 3);
});

test('a clock that is set back neither gives nor takes', () => {
  const { time, bucket } = bucketAt(10_000);
  assert.equal(taken(bucket), 3);
  time.now = 0;
  assert.equal(taken(bucket), 0);
  time.now += 100;
  assert.equal(taken(bucket), 1);
});

test('tells how long it takes until so many may pass', () => {
  const { time, bucket } = bucketAt(5_000);
  assert.equal(bucket.missingMs(3), 0);
  bucket.take(3);
  assert.equal(bucket.missingMs(2), 200);
  time.now += 150;
  assert.equal(bucket.missingMs(2), 50);
  assert.equal(bucket.missingMs(1), 0);
});
