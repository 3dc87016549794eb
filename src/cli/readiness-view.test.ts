import assert from 'node:assert/strict';
import { test } from 'vitest';
import { describeSeconds, describeStep } from './readiness-view.ts';

test('a time is told in two units at most', () => {
  const told = [0, 59, 60, 3599, 3600, 3 * 3600 + 20 * 60, 86_399, 86_400, 200_000].map(
    describeSeconds,
  );
  assert.deepEqual(told, [
    '0 s',
    '59 s',
    '1 min',
    '60 min',
    '1 h',
    '3 h 20 min',
    '24 h',
    '1 d',
    '2 d 8 h',
  ]);
});

test('a step tells how far it is and how long it may take, as far as that is known', () => {
  const step = {
    id: 'blocks',
    title: 'bitcoind has the blocks',
    state: 'working',
    detail: 'block 5 of 10',
    sinceMs: 0,
  } as const;
  assert.equal(describeStep(step, 59_999), 'block 5 of 10');
  assert.equal(describeStep(step, 60_000), 'block 5 of 10, for 1 min');
  assert.equal(describeStep({ ...step, state: 'done' }, 60_000), 'block 5 of 10');
  assert.equal(describeStep({ ...step, percent: 12.3 }, 0), 'block 5 of 10, 12.3 %');
  assert.equal(
    describeStep({ ...step, percent: 50, etaSeconds: 7200 }, 0),
    'block 5 of 10, 50.0 %, about 2 h left',
  );
});
