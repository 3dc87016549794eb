import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { checkTimeline, faultsBorne, slotAt, slotOf, USUAL_TIMELINE } from './timeline.ts';

const seconds = (ms: number, { validAfter }: { validAfter: number }) => ms / 1000 - validAfter;

test('five authorities vote ten minutes before valid-after, in three rounds until they sign', () => {
  const slot = slotOf(83_152, USUAL_TIMELINE, 5);
  assert.equal(slot.validAfter, 1_796_083_200);
  assert.equal(slot.freshUntil - slot.validAfter, 6 * 3600);
  assert.equal(slot.validUntil - slot.validAfter, 24 * 3600);
  assert.equal(slot.publishedUntil - slot.validAfter, -1200);
  const moments = [slot.opensMs, slot.votesMs, ...slot.roundEndsMs, slot.signsMs, slot.endsMs];
  assert.deepEqual(
    moments.map((ms) => seconds(ms, slot)),
    [-700, -600, -500, -400, -300, -300, 300],
  );
});

test.each([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [5, 2],
  [7, 3],
])('%i authorities bear %i that fail, and need a round more', (authorities, faults) => {
  assert.equal(faultsBorne(authorities), faults);
  assert.equal(slotOf(1, USUAL_TIMELINE, authorities).roundEndsMs.length, faults + 1);
});

test('at any time there is one slot that has not ended, and the one before has', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1e12, max: 4e12 }), fc.integer({ min: 1, max: 20 }), (now, n) => {
      const slot = slotAt(now, USUAL_TIMELINE, n);
      const before = slotOf(slot.epoch - 1, USUAL_TIMELINE, n);
      assert.ok(now < slot.endsMs);
      assert.ok(before.endsMs <= now);
      assert.ok(before.endsMs <= slot.opensMs);
    }),
  );
});

test('the usual timeline can be used, and on regtest one of a minute', () => {
  checkTimeline(USUAL_TIMELINE, 5, 'mainnet');
  const minute = { periodSeconds: 60, validSeconds: 240, voteSeconds: 20, signSeconds: 8 };
  checkTimeline(minute, 5, 'regtest');
});

test.each([
  ['signs after valid-after', { signSeconds: 0 }],
  ['signs before it votes', { signSeconds: 600 }],
  ['has no time left for the next slot', { periodSeconds: 999 }],
  ['is valid no longer than a period', { validSeconds: 6 * 3600 }],
  ['is valid for more than a day', { validSeconds: 24 * 3600 + 1 }],
  ['makes more consensuses in 8 days than are kept', { periodSeconds: 6 * 3600 - 1 }],
])('a timeline that %s is refused', (_why, changes) => {
  assert.throws(() => {
    checkTimeline({ ...USUAL_TIMELINE, ...changes }, 5, 'mainnet');
  }, UserError);
});
