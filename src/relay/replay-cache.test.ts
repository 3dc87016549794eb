import fc from 'fast-check';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'vitest';
import { ReplayCache } from './replay-cache.ts';

const MINUTE_MS = 60_000;
const START = 29_000_000;

function cacheAt(minute: number, capacity?: number) {
  const time = { minute };
  const clock = (): number => time.minute * MINUTE_MS;
  return { time, cache: new ReplayCache({ clock, ...(capacity && { capacity }) }) };
}

test('remembers exactly what was added', () => {
  const { cache } = cacheAt(START);
  const added = Array.from({ length: 20_000 }, () => randomBytes(32));
  for (const [index, enc] of added.entries()) assert.ok(cache.add(enc, START + (index % 3)));
  assert.ok(added.every((enc) => cache.has(enc)));
  assert.ok(!added.some(() => cache.has(randomBytes(32))));
});

test('keeps an entry while its minute lets the cell be accepted, and then makes room', () => {
  const { time, cache } = cacheAt(START, 1);
  const [first, second] = [randomBytes(32), randomBytes(32)];
  assert.ok(cache.add(first, START + 10));
  time.minute = START + 20;
  assert.ok(!cache.add(second, time.minute), 'full');
  assert.ok(cache.has(first));
  time.minute = START + 21;
  assert.ok(cache.add(second, time.minute));
  assert.ok(!cache.has(first));
});

test('what was forgotten stays closed when the clock is set back', () => {
  const { time, cache } = cacheAt(START);
  const enc = randomBytes(32);
  cache.add(enc, START);
  time.minute = START + 60;
  cache.add(randomBytes(32), time.minute);
  assert.ok(!cache.has(enc));
  time.minute = START;
  assert.ok(!cache.add(enc, START));
});

test('whatever the order of times, nothing is accepted twice', () => {
  const step = fc.record({ key: fc.nat(5), jump: fc.integer({ min: -15, max: 15 }) });
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { time, cache } = cacheAt(START, 4);
    const accepted = new Set<number>();
    for (const { key, jump } of steps) {
      time.minute += jump;
      const enc = new Uint8Array(32).fill(key);
      // One cell always carries the same minute, and is looked at within ten minutes of it only.
      const minute = START + key;
      if (Math.abs(time.minute - minute) > 10 || cache.has(enc) || !cache.add(enc, minute))
        continue;
      assert.ok(!accepted.has(key), 'accepted twice');
      accepted.add(key);
    }
  });
  fc.assert(property, { numRuns: 300 });
});
