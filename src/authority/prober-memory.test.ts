import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { Scope } from '../base/lifecycle.ts';
import { type Logger, silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openProberMemory, type ProberMemory } from './prober-memory.ts';

const EVERY_MS = 1_800_000;
const DAY_MS = 86_400_000;
const START_MS = 1_000_000_000_000;
const NODE = 'a1'.repeat(16);
const OTHER = 'b1'.repeat(16);

let scope: Scope;
let path: string;
let warned: string[];
/** By how much the clock of the machine is ahead of the one that looks are timed by. */
let aheadMs: number;

beforeEach(async () => {
  scope = new Scope();
  path = join(scope.use(await makeTemporaryDirectory()).path, 'probes.json');
  warned = [];
  aheadMs = 0;
});
afterEach(() => scope[Symbol.asyncDispose]());

async function open(now: number): Promise<ProberMemory> {
  const log: Logger = { ...silent, warn: (message) => warned.push(message) };
  let steadyMs = now;
  const clock = (): number => steadyMs + aheadMs;
  const memory = await openProberMemory({ path, everyMs: EVERY_MS, now, clock, log });
  return {
    ...memory,
    save: (at) => {
      steadyMs = at;
      return memory.save(at);
    },
  };
}

/** Sees the node for four days, and stops. */
async function fourDays(): Promise<number> {
  const memory = await open(START_MS);
  const end = START_MS + 4 * DAY_MS;
  for (let now = START_MS; now <= end; now += EVERY_MS) memory.there.see(NODE, now);
  await memory.save(end);
  return end;
}

const flags = ({ there }: ProberMemory, now: number): readonly boolean[] => [
  there.isRunning(NODE, now),
  there.isStable(NODE, now),
];

/** Whether the other one carries cells, those of both weighing the same. */
function carries({ carried }: ProberMemory, now: number): boolean {
  const weights = { byFamily: new Map([NODE, OTHER].map((family) => [family, 1])), mean: 1 };
  return carried.isCarrying(OTHER, weights, now);
}

test('three days without a break make a node stable, and a break begins them anew', async () => {
  const { there } = await open(START_MS);
  const last = START_MS + 3 * DAY_MS;
  for (let now = START_MS; now < last; now += EVERY_MS) there.see(NODE, now);
  assert.equal(there.isStable(NODE, last - 1), false);
  there.see(NODE, last);
  assert.equal(there.isStable(NODE, last), true);
  there.break(NODE);
  there.see(NODE, last + EVERY_MS);
  assert.equal(there.isRunning(NODE, last + EVERY_MS), true);
  assert.equal(there.isStable(NODE, last + EVERY_MS), false);
});

test('a node that was not looked at for long does not run', async () => {
  const { there } = await open(START_MS);
  there.see(NODE, START_MS);
  assert.equal(there.isRunning(NODE, START_MS + 2.5 * EVERY_MS - 1), true);
  assert.equal(there.isRunning(NODE, START_MS + 2.5 * EVERY_MS), false);
});

test('what is stable is so after a restart, in a file that only its owner can read', async () => {
  const end = await fourDays();
  const now = end + 60_000;
  assert.deepEqual(flags(await open(now), now), [true, true]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('after a day away a node runs when it was seen again, and the day is not counted', async () => {
  const end = await fourDays();
  const back = end + DAY_MS;
  const memory = await open(back);
  assert.deepEqual(flags(memory, back), [false, false]);
  memory.there.see(NODE, back + 1000);
  assert.deepEqual(flags(memory, back + 1000), [true, true]);
  await memory.save(back + 1000);
  const later = back + 2 * DAY_MS;
  const again = await open(later);
  again.there.see(NODE, later);
  const [[, { since }] = ['', { since: 0 }]] = again.there.runs();
  assert.ok(Math.abs(later - since - 4 * DAY_MS) < 60_000);
});

test('after four days away nothing is known', async () => {
  const back = (await fourDays()) + 4 * DAY_MS;
  const memory = await open(back);
  memory.there.see(NODE, back);
  assert.deepEqual(flags(memory, back), [true, false]);
});

test('a clock that was set back makes nobody stable before the time, nor running for ever', async () => {
  const end = await fourDays();
  const earlier = end - 30 * DAY_MS;
  const memory = await open(earlier);
  assert.deepEqual(flags(memory, earlier), [true, true]);
  assert.deepEqual(flags(memory, earlier + 3 * EVERY_MS), [false, false]);
});

test('what was seen while the clock was a day ahead is as if it was seen by the right one', async () => {
  aheadMs = DAY_MS;
  const end = await fourDays();
  aheadMs = 0;
  const memory = await open(end);
  assert.deepEqual(flags(memory, end), [true, true]);
  assert.deepEqual([...memory.there.runs()], [[NODE, { since: START_MS, last: end }]]);
  assert.deepEqual(flags(memory, end + 2.5 * EVERY_MS), [false, false]);
});

for (const [what, byMs] of [
  ['on', 30 * DAY_MS],
  ['back', -30 * DAY_MS],
] as const) {
  test(`a clock that was set ${what} while it ran is not time that an authority was away`, async () => {
    const before = await open(START_MS);
    before.there.see(NODE, START_MS);
    before.there.see(NODE, START_MS + EVERY_MS);
    before.right.bar(OTHER, START_MS + EVERY_MS);
    aheadMs = byMs;
    await before.save(START_MS + EVERY_MS);
    aheadMs = 0;
    const now = START_MS + byMs + EVERY_MS + 1000;
    const after = await open(now);
    // The second that it was away is not counted.
    const run = { since: now - EVERY_MS, last: now - 1000 };
    assert.deepEqual([...after.there.runs()], [[NODE, run]]);
    assert.deepEqual([...after.right.barred()], [[OTHER, now - 1000 + 16 * EVERY_MS]]);
  });
}

test('times in a file that are later than when it was written count as that time, and give nobody more', async () => {
  const late = START_MS + 30 * DAY_MS;
  const runs = [
    [NODE, { since: START_MS - 2 * DAY_MS, last: late }],
    [OTHER, { since: late - 4 * DAY_MS, last: late }],
  ];
  const lost = [NODE, OTHER].map((family) => ({ family, carried: false, at: late }));
  const file = { version: 1, at: START_MS, there: runs, right: [], barred: [], carried: [] };
  await writeFile(path, JSON.stringify({ ...file, carried: [[OTHER, lost]] }));
  const memory = await open(START_MS + 1000);
  assert.deepEqual(flags(memory, START_MS + 1000), [true, false]);
  assert.equal(memory.there.isStable(OTHER, START_MS + 1000), false);
  assert.equal(memory.there.isRunning(OTHER, START_MS + 2.5 * EVERY_MS), false);
  assert.equal(carries(memory, START_MS + 3 * DAY_MS - 1), false);
  assert.equal(carries(memory, START_MS + 3 * DAY_MS), true);
});

test('cells that were lost while the clock was ahead are remembered for three days, not longer', async () => {
  aheadMs = 2 * DAY_MS;
  const before = await open(START_MS);
  for (const family of [NODE, OTHER]) {
    before.carried.note(OTHER, { family, carried: false, at: START_MS - DAY_MS });
  }
  await before.save(START_MS);
  aheadMs = 0;
  const after = await open(START_MS);
  assert.equal(carries(after, START_MS + 2 * DAY_MS - 1), false);
  assert.equal(carries(after, START_MS + 2 * DAY_MS), true);
});

test('what is saved by a clock that begins in 1970 can be read again', async () => {
  const memory = await open(START_MS);
  memory.there.see(NODE, START_MS - 4 * DAY_MS);
  aheadMs = 1000 - START_MS;
  await memory.save(START_MS);
  aheadMs = 0;
  assert.equal([...(await open(2000)).there.runs()].length, 1);
  assert.deepEqual(warned, []);
});

test('who is barred and who lost cells is remembered', async () => {
  const before = await open(START_MS);
  before.right.see(NODE, START_MS);
  before.right.bar(NODE, START_MS);
  for (const family of [NODE, OTHER]) {
    before.carried.note(OTHER, { family, carried: false, at: START_MS });
  }
  await before.save(START_MS);
  const after = await open(START_MS + 1000);
  after.right.see(NODE, START_MS + 2000);
  assert.equal(after.right.isRunning(NODE, START_MS + 2000), false);
  assert.equal(carries(after, START_MS), false);
});

test('a node that is gone is forgotten, but it is barred until that is over, after a restart too', async () => {
  const before = await open(START_MS);
  before.there.see(NODE, START_MS);
  before.right.bar(NODE, START_MS);
  before.retain((nodeId) => nodeId !== NODE);
  assert.deepEqual([...before.there.runs()], []);
  await before.save(START_MS);
  const after = await open(START_MS);
  for (const { right } of [before, after]) {
    const end = START_MS + 16 * EVERY_MS;
    for (const [now, isRunning] of [
      [end - 1, false],
      [end, true],
    ] as const) {
      right.see(NODE, now);
      assert.equal(right.isRunning(NODE, now), isRunning);
    }
  }
});

test('as many as can be saved are barred, those whose bars end first let go, and what is over is dropped', async () => {
  const memory = await open(START_MS);
  const idOf = (index: number): string => index.toString(16).padStart(32, '0');
  for (let index = 0; index <= 20_000; index += 1) memory.right.bar(idOf(index), START_MS + index);
  const barred = new Map(memory.right.barred());
  assert.deepEqual([barred.size, barred.has(idOf(0)), barred.has(idOf(1))], [20_000, false, true]);
  await memory.save(START_MS);
  assert.equal([...(await open(START_MS)).right.barred()].length, 20_000);
  memory.right.bar(NODE, START_MS + DAY_MS);
  assert.deepEqual([...memory.right.barred()].length, 1);
});

test('a damaged file is as none, and the log says so', async () => {
  await fourDays();
  for (const damaged of ['', '{', '{"version":1}', JSON.stringify({ version: 2 })]) {
    await writeFile(path, damaged);
    const memory = await open(START_MS);
    assert.deepEqual([...memory.there.runs()], []);
  }
  assert.equal(warned.length, 4);
  await fourDays();
  assert.equal(warned.length, 5);
});
