import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Pace } from './pace.ts';

const MINUTE = 60_000;

/** Notes progress every second for a time. */
function run(pace: Pace, [from, to]: [number, number], done: (ms: number) => number): void {
  for (let ms = from; ms <= to; ms += 1000) pace.note(done(ms), ms);
}

test('a steady pace tells the time that is left', () => {
  const pace = new Pace();
  run(pace, [0, 5 * MINUTE], (ms) => ms / (100 * MINUTE));
  assert.equal(pace.secondsLeft(5 * MINUTE), 95 * 60);
});

test('nothing is told before enough was seen', () => {
  const pace = new Pace();
  assert.equal(pace.secondsLeft(0), undefined);
  run(pace, [0, 29_000], (ms) => ms / (100 * MINUTE));
  assert.equal(pace.secondsLeft(29_000), undefined);
});

test('nothing is told of what does not move', () => {
  const pace = new Pace();
  run(pace, [0, 60 * MINUTE], () => 0.3);
  assert.equal(pace.secondsLeft(60 * MINUTE), undefined);
  assert.equal(pace.advancedMs, 0);
});

test('only what was seen lately counts', () => {
  const pace = new Pace();
  run(pace, [0, 60 * MINUTE], (ms) => (0.5 * ms) / (60 * MINUTE));
  run(pace, [60 * MINUTE + 1000, 75 * MINUTE], (ms) => 0.5 + (ms / MINUTE - 60) / 1000);
  const left = pace.secondsLeft(75 * MINUTE) ?? NaN;
  assert.ok(Math.abs(left - 485 * 60) < 60, `${left}`);
});

test('what stalls has no end in sight until it gets on', () => {
  const pace = new Pace();
  run(pace, [0, 5 * MINUTE], (ms) => ms / (100 * MINUTE));
  run(pace, [5 * MINUTE, 7 * MINUTE], () => 0.05);
  assert.equal(pace.secondsLeft(7 * MINUTE), undefined);
  assert.equal(pace.advancedMs, 5 * MINUTE);
});

test('a disk so slow that progress comes every quarter of an hour is waited for', () => {
  const pace = new Pace();
  run(pace, [0, 61 * MINUTE], (ms) => Math.floor(ms / (15 * MINUTE)) / 100);
  const left = pace.secondsLeft(61 * MINUTE) ?? NaN;
  assert.ok(Math.abs(left - (96 * 15 - 1) * 60) < 60, `${left}`);
  run(pace, [61 * MINUTE, 121 * MINUTE], () => 0.04);
  assert.equal(pace.secondsLeft(121 * MINUTE), undefined);
});

test('a machine that slept, a clock set back and an index begun anew start the measure afresh', () => {
  for (const then of [12 * MINUTE, 4 * MINUTE]) {
    const pace = new Pace();
    run(pace, [0, 6 * MINUTE], (ms) => ms / (100 * MINUTE));
    pace.note(0.07, then);
    assert.equal(pace.secondsLeft(then), undefined);
  }
  const pace = new Pace();
  run(pace, [0, 5 * MINUTE], (ms) => ms / (100 * MINUTE));
  pace.note(0.01, 5 * MINUTE + 1000);
  assert.equal(pace.secondsLeft(5 * MINUTE + 1000), undefined);
});

test('the last second never ends before its work', () => {
  const pace = new Pace();
  run(pace, [0, MINUTE], (ms) => Math.min(0.9999, ms / MINUTE));
  assert.equal(pace.secondsLeft(MINUTE + 5000), 1);
});
