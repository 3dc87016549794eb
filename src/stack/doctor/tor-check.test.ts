import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judgeTor, type TorSays } from './tor-check.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;

/** As tor 0.4.9 says it once it is in the network. */
const WELL: TorSays = {
  bootstrap: 'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"',
  standing: 'recommended',
  consensus: { fromMs: NOW - HOUR, untilMs: NOW + 2 * HOUR },
};

test('a tor in the network with a right clock passes', () => {
  assert.equal(judgeTor(WELL, NOW).verdict, 'ok');
  assert.equal(judgeTor({ ...WELL, standing: 'unknown' }, NOW).verdict, 'ok');
});

test('a tor on its way says where it is, and what it complains of', () => {
  const bootstrap =
    'WARN BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking with a relay" WARNING="DONE" REASON=DONE COUNT=11 RECOMMENDATION=warn';
  const { verdict, found } = judgeTor({ ...WELL, bootstrap, consensus: undefined }, NOW);
  assert.equal(verdict, 'fail');
  assert.equal(found, 'at 14 %, Handshaking with a relay: DONE');
});

test('a wrong clock is told, whichever way tor tells it', () => {
  const bootstrap =
    'WARN BOOTSTRAP PROGRESS=30 TAG=loading_status SUMMARY="Loading" WARNING="Clock skew -7200 in microdesc flavor consensus from CONSENSUS" REASON=CLOCK_SKEW COUNT=1 RECOMMENDATION=warn';
  const outcomes = [
    judgeTor({ ...WELL, bootstrap }, NOW),
    judgeTor(WELL, NOW - 3 * HOUR),
    judgeTor(WELL, NOW + 48 * HOUR),
  ];
  assert.deepEqual(
    outcomes.map(({ verdict }) => verdict),
    ['fail', 'fail', 'warn'],
  );
  for (const { todo } of outcomes) assert.match(todo ?? '', /timedatectl/);
});

test('a version that the network no longer takes fails', () => {
  assert.equal(judgeTor({ ...WELL, standing: 'obsolete' }, NOW).verdict, 'fail');
});
