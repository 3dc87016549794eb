import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { checkTimeline, slotOf } from '../directory/timeline.ts';
import { devnetTimeline } from './devnet-timeline.ts';

const AUTHORITIES = 3;
const NOW = 1_800_000_000;

function slotAfter(published: number) {
  const timeline = devnetTimeline(published);
  const earliest = published + 2 * timeline.voteSeconds;
  const epoch = Math.ceil(earliest / timeline.periodSeconds);
  return { timeline, earliest, slot: slotOf(epoch, timeline, AUTHORITIES) };
}

test('the first consensus lists what was published until then, under a timeline that can be used', () => {
  fc.assert(
    fc.property(fc.integer({ min: NOW, max: 2 * NOW }), (published) => {
      const { timeline, slot } = slotAfter(published);
      checkTimeline(timeline, AUTHORITIES, 'regtest');
      assert.ok(slot.publishedUntil >= published);
    }),
  );
});

test('it seldom has to be waited for: two seconds on average', () => {
  const waits = Array.from({ length: 10_000 }, (_, second) => {
    const { slot, earliest } = slotAfter(NOW + second);
    return slot.validAfter - earliest;
  });
  assert.ok(waits.reduce((sum, wait) => sum + wait, 0) / waits.length < 2);
});
