import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { beginWatch, nextWatch, type Remedy, type TorHealth, type Watch } from './ladder.ts';

const MINUTE_MS = 60_000;
const WELL: TorHealth = { kind: 'well' };
const ABSENT: TorHealth = { kind: 'absent' };

function cutOff(percent: number): TorHealth {
  return { kind: 'cut-off', percent };
}

interface Run {
  readonly watch: Watch;
  /** `minute:remedy` */
  readonly remedies: readonly string[];
}

/** Looks four times a minute at a tor whose health is told by the minute. */
function run(minutes: number, healthAt: (minute: number) => TorHealth, from?: Watch): Run {
  const start = from?.movedAt ?? 1_000_000;
  const remedies: string[] = [];
  let watch = from ?? beginWatch(start);
  for (let quarter = 0; quarter <= minutes * 4; quarter++) {
    const minute = quarter / 4;
    const next = nextWatch(watch, healthAt(minute), start + minute * MINUTE_MS);
    watch = next.watch;
    if (next.remedy) remedies.push(`${minute}:${next.remedy}`);
  }
  return { watch, remedies };
}

test('new guards after 5, 10 and 20 minutes, one wipe after 30, and in the end word to a person', () => {
  const { watch, remedies } = run(600, () => cutOff(30));
  assert.deepEqual(remedies, [
    '5:drop-guards',
    '10:drop-guards',
    '20:drop-guards',
    '30:wipe-state',
    // The next look sees a step ahead: of a tor that has just begun anew.
    '35.25:drop-guards',
    '40.25:drop-guards',
    '50.25:drop-guards',
  ]);
  assert.equal(watch.kind, 'given-up');
  assert.equal(watch.since, 1_000_000);
});

test('a tor that is well, or sleeps, is left alone', () => {
  const { watch, remedies } = run(600, () => WELL);
  assert.deepEqual(remedies, []);
  assert.equal(watch.kind, 'well');
  assert.equal(watch.since, undefined);
});

test('a tor that does not run is left to whoever starts it, and has its time from its start on', () => {
  const { remedies } = run(107, (minute) => (minute < 100 ? ABSENT : cutOff(10)));
  assert.deepEqual(remedies, ['105:drop-guards']);
});

test('a tor that gets further, however slowly, is given time', () => {
  const slow = run(80, (minute) => cutOff(Math.floor(minute / 4)));
  assert.deepEqual(slow.remedies, []);
  const stops = run(30, (minute) => cutOff(Math.min(Math.floor(minute), 20)));
  assert.deepEqual(stops.remedies, ['25:drop-guards', '30:drop-guards']);
});

test('a tor that falls back and rises again has got no further', () => {
  const { remedies } = run(11, (minute) => cutOff(Math.floor(minute) % 2 === 0 ? 30 : 5));
  assert.deepEqual(remedies, ['5:drop-guards', '10:drop-guards']);
});

test('a tor that has lost its circuits gets five minutes', () => {
  const { watch, remedies } = run(65, (minute) => (minute < 60 ? WELL : cutOff(100)));
  assert.deepEqual(remedies, ['65:drop-guards']);
  assert.equal(watch.since, 1_000_000 + 60 * MINUTE_MS);
});

test('an outage that ends is forgotten: the next one begins at the bottom, with a wipe of its own', () => {
  const first = run(600, () => cutOff(30)).watch;
  const well = nextWatch(first, WELL, first.movedAt).watch;
  assert.equal(well.wiped, false);
  const { remedies } = run(31, () => cutOff(100), well);
  assert.equal(remedies.at(-1), '30:wipe-state');
});

test('after a wipe tor starts anew, and its first steps count as steps ahead', () => {
  const wiped = run(30, () => cutOff(80)).watch;
  assert.equal(wiped.wiped, true);
  const { remedies } = run(15, (minute) => (minute < 1 ? ABSENT : cutOff(minute * 2)), wiped);
  assert.deepEqual(remedies, []);
});

test('a watch that begins again during an outage remembers that there was a wipe', () => {
  const { watch } = run(30, () => cutOff(30));
  const again = run(600, () => cutOff(30), beginWatch(5_000_000, watch));
  assert.equal(again.watch.since, watch.since);
  assert.deepEqual(again.remedies, ['5:drop-guards', '10:drop-guards', '20:drop-guards']);
});

test('a clock that jumps ahead brings one remedy, and one that jumps back brings none', () => {
  const now = 1_000_000;
  const { watch } = nextWatch(beginWatch(now), cutOff(10), now);
  const ahead = nextWatch(watch, cutOff(10), now + 1000 * MINUTE_MS);
  assert.equal(ahead.remedy, 'drop-guards');
  assert.equal(nextWatch(ahead.watch, cutOff(10), now + 1001 * MINUTE_MS).remedy, undefined);
  const back = nextWatch(ahead.watch, cutOff(10), now);
  assert.equal(back.remedy, undefined);
  assert.equal(nextWatch(back.watch, cutOff(10), now + 5 * MINUTE_MS).remedy, 'drop-guards');
});

test('whatever tor does: one wipe an outage at most, and five minutes between remedies', () => {
  const aHealth = fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 100 }).map(cutOff) },
    { weight: 1, arbitrary: fc.constantFrom(WELL, ABSENT) },
  );
  const aLook = fc.record({ health: aHealth, afterMs: fc.nat({ max: 15 * MINUTE_MS }) });
  fc.assert(
    fc.property(fc.array(aLook, { maxLength: 200 }), (looks) => {
      let now = 0;
      let watch = beginWatch(now);
      let wipes = 0;
      let last: { remedy: Remedy; at: number } | undefined;
      for (const { health, afterMs } of looks) {
        now += afterMs;
        const next = nextWatch(watch, health, now);
        watch = next.watch;
        if (health.kind === 'well') wipes = 0;
        if (next.remedy === undefined) continue;
        if (next.remedy === 'wipe-state') wipes++;
        assert.equal(health.kind, 'cut-off');
        assert.ok(wipes <= 1);
        assert.ok(last === undefined || now - last.at >= 5 * MINUTE_MS);
        last = { remedy: next.remedy, at: now };
      }
    }),
  );
});
