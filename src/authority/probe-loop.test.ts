import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'vitest';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { VirtualTime } from '../../test/virtual-time.ts';
import { ProbeError } from './probe-error.ts';
import { type Probed, ProbeLoop } from './probe-loop.ts';
import { ProbeRuns } from './probe-runs.ts';

const EVERY_MS = 1_800_000;
const PATIENCE_MS = 90_000;
const START_MS = 1_000_000_000_000;
const a = { nodeId: 'a1'.repeat(16) };
const b = { nodeId: 'b1'.repeat(16) };

let time: VirtualTime;
let nodes: readonly Probed[];
let asked: { readonly nodeId: string; readonly atMs: number }[];
/** How a node answers; usually at once. */
let answers: Map<string, (signal: AbortSignal) => Promise<void>>;
let broken: string[];
let runs: ProbeRuns;
let loop: ProbeLoop<Probed>;

const manyOf = (letter: string, count: number): readonly Probed[] =>
  Array.from({ length: count }, (_, index) => ({
    nodeId: letter + index.toString(16).padStart(31, '0'),
  }));
const fails = (): Promise<void> => Promise.reject(new Error('out of reach'));
const silence = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

function start(known: readonly Probed[], patienceMs = PATIENCE_MS): void {
  nodes = known;
  const uniform = seededNumbers(3);
  loop = new ProbeLoop({
    nodes: () => nodes,
    look: ({ nodeId }, signal) => {
      asked.push({ nodeId, atMs: time.nowMs });
      return answers.get(nodeId)?.(signal) ?? Promise.resolve();
    },
    runs,
    everyMs: EVERY_MS,
    patienceMs,
    time: time.shifted(0),
    random: (below) => Math.floor(uniform() * below),
    onBroken: (nodeId) => broken.push(nodeId),
  });
}

beforeEach(() => {
  time = new VirtualTime(START_MS);
  asked = [];
  broken = [];
  answers = new Map();
  runs = new ProbeRuns(EVERY_MS);
});
afterEach(() => loop[Symbol.asyncDispose]());

const passTime = (ms: number): Promise<void> => time.runUntil(time.nowMs + ms);
const isRunning = ({ nodeId }: Probed): boolean => runs.isRunning(nodeId, time.nowMs);
const timesOf = ({ nodeId }: Probed): readonly number[] =>
  asked.filter((each) => each.nodeId === nodeId).map(({ atMs }) => atMs);

test('who answers runs, and who does not is asked again soon and does not run', async () => {
  answers.set(b.nodeId, fails);
  start([a, b]);
  await passTime(EVERY_MS / 2 - 1000);
  assert.deepEqual([isRunning(a), isRunning(b)], [true, false]);
  assert.equal(timesOf(a).length, 1);
  assert.ok(timesOf(b).length >= 3 && timesOf(b).length <= 5);
});

test('one that goes on failing is asked half as often each time, down to once in sixteen intervals', async () => {
  answers.set(a.nodeId, fails);
  start([a]);
  await passTime(200 * EVERY_MS);
  const times = timesOf(a);
  const gaps = times.slice(1).map((atMs, index) => (atMs - (times[index] ?? 0)) / EVERY_MS);
  const planned = [1 / 8, 1 / 8, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 16, 16];
  assert.ok(gaps.length >= planned.length);
  for (const [index, gap] of gaps.entries()) {
    const part = gap / (planned[index] ?? 16);
    assert.ok(part >= 0.49 && part <= 1.7, `${gap} intervals, ${part} of what is planned`);
  }
});

test('three failures in a row make one outage when they are near to one another', async () => {
  start([a]);
  await passTime(2 * EVERY_MS);
  const startedAt = time.nowMs;
  answers.set(a.nodeId, fails);
  loop.hurry(a);
  await time.runUntil(startedAt + EVERY_MS / 16);
  answers.delete(a.nodeId);
  await passTime(EVERY_MS);
  assert.deepEqual([isRunning(a), broken], [true, []]);
});

test('after a break it runs again within a quarter of an interval of being back', async () => {
  start([a]);
  await passTime(1000);
  answers.set(a.nodeId, fails);
  while (broken.length === 0) await passTime(1000);
  answers.delete(a.nodeId);
  await passTime(EVERY_MS / 4);
  assert.equal(isRunning(a), true);
});

test('looks at a node are half an interval to one and a half apart, never at one beat', async () => {
  start([a, b]);
  await passTime(40 * EVERY_MS);
  const times = timesOf(a);
  const gaps = times.slice(1).map((atMs, index) => (atMs - (times[index] ?? 0)) / EVERY_MS);
  assert.ok(gaps.length > 30);
  assert.ok(gaps.every((gap) => gap >= 0.5 && gap <= 1.6));
  assert.ok(Math.max(...gaps) - Math.min(...gaps) > 0.7);
});

test('one failure is not the end, three are, until it answers again', async () => {
  start([a]);
  await passTime(1000);
  let failures = 2;
  answers.set(a.nodeId, () => (failures-- > 0 ? fails() : Promise.resolve()));
  await passTime(2 * EVERY_MS);
  assert.deepEqual([isRunning(a), broken], [true, []]);
  failures = 3;
  await passTime(2 * EVERY_MS);
  assert.deepEqual(broken, [a.nodeId]);
  await passTime(2 * EVERY_MS);
  assert.equal(isRunning(a), true);
});

test('a node that says nothing is given up in time, and holds up no other', async () => {
  answers.set(a.nodeId, silence);
  start([a, b]);
  await passTime(1000);
  assert.equal(isRunning(b), true);
  await passTime(EVERY_MS);
  assert.equal(isRunning(a), false);
  assert.ok(timesOf(a).length <= 6);
});

test('one wrong answer is enough, and right ones do not make up for it for eight hours', async () => {
  start([a]);
  await passTime(1000);
  answers.set(a.nodeId, () => Promise.reject(new ProbeError('wrong', 'a lie')));
  await passTime(1.6 * EVERY_MS);
  assert.deepEqual([isRunning(a), broken], [false, [a.nodeId]]);
  const lied = timesOf(a).at(-1) ?? 0;
  answers.delete(a.nodeId);
  await time.runUntil(lied + 16 * EVERY_MS - 1000);
  assert.equal(isRunning(a), false);
  await passTime(2 * EVERY_MS);
  assert.equal(isRunning(a), true);
});

test('a look that teaches nothing is no fault, but without others the node is forgotten', async () => {
  start([a, b]);
  await passTime(1000);
  answers.set(a.nodeId, () => Promise.reject(new ProbeError('unclear', 'no relay')));
  await passTime(2 * EVERY_MS);
  assert.ok(timesOf(a).length > 4);
  assert.equal(isRunning(a), true);
  await passTime(EVERY_MS);
  assert.deepEqual([isRunning(a), broken], [false, []]);
});

test('while most looks teach nothing, time breaks no run and makes none longer, but failures count', async () => {
  const [c, d, e] = manyOf('c', 3) as [Probed, Probed, Probed];
  start([a, b, c, d, e]);
  await passTime(3 * EVERY_MS);
  const lengths = (): readonly number[] => [...runs.runs()].map(([, run]) => run.last - run.since);
  for (const each of [a, b, c, d]) {
    answers.set(each.nodeId, () => Promise.reject(new ProbeError('unclear', 'target off')));
  }
  answers.set(e.nodeId, fails);
  await passTime(2 * EVERY_MS);
  const before = lengths();
  await passTime(100 * EVERY_MS);
  assert.deepEqual([a, b, c, d, e].map(isRunning), [true, true, true, true, false]);
  assert.deepEqual(lengths(), before);
  answers.clear();
  await passTime(EVERY_MS / 4);
  assert.deepEqual([a, b, c, d].map(isRunning), [true, true, true, true]);
  answers.set(a.nodeId, () => Promise.reject(new ProbeError('unclear', 'a block of its own')));
  await passTime(4.5 * EVERY_MS);
  assert.deepEqual([isRunning(a), isRunning(b)], [false, true]);
});

test('looks at a time at which all teach nothing are not made again soon, but soon after it', async () => {
  const many = manyOf('c', 300);
  start(many);
  await passTime(3 * EVERY_MS);
  const untimely = (): Promise<void> => Promise.reject(new ProbeError('untimely', 'clock set'));
  for (const { nodeId } of many) answers.set(nodeId, untimely);
  const startedAt = time.nowMs;
  await passTime(EVERY_MS / 3);
  const meanwhile = asked.filter(({ atMs }) => atMs > startedAt).map(({ nodeId }) => nodeId);
  assert.ok(meanwhile.length > 50);
  assert.equal(meanwhile.length, new Set(meanwhile).size);
  answers.clear();
  for (let part = 0; part < 48; part += 1) {
    await passTime(EVERY_MS / 16);
    assert.deepEqual(
      many.filter((node) => !isRunning(node)),
      [],
    );
  }
});

test('a new node is asked at once, and in a hurry before its turn', async () => {
  start([]);
  await passTime(EVERY_MS);
  nodes = [a];
  loop.hurry(a);
  await passTime(0);
  assert.deepEqual(timesOf(a), [START_MS + EVERY_MS]);
  nodes = [a, b];
  await passTime(EVERY_MS / 64);
  assert.equal(timesOf(b).length, 1);
});

test('however often there is a hurry, a node is looked at once more in an interval', async () => {
  start([a]);
  await passTime(1000);
  for (let minute = 0; minute < 300; minute += 1) {
    loop.hurry(a);
    await passTime(60_000);
  }
  assert.ok(timesOf(a).length <= 1 + 2 * 10 + 1, `${timesOf(a).length} looks in ten intervals`);
});

/** How long looks take; the good ones answer then, the others do not answer at all. */
const ANSWER_MS = 10_000;
const LONG_MS = 300_000;
const answersAfter = (ms: number) => (signal: AbortSignal) =>
  time.sleepUntil(time.nowMs + ms, signal);

/** The least number of the good that ran in any minute. */
async function leastRunning(good: readonly Probed[], hours: number): Promise<number> {
  let least = good.length;
  for (const end = time.nowMs + hours * 3_600_000; time.nowMs < end;) {
    await passTime(60_000);
    least = Math.min(least, good.filter(isRunning).length);
  }
  return least;
}

test(
  '8,000 nodes that say nothing, in a hurry every minute, cost a hundred good ones nothing',
  { timeout: 240_000 },
  async () => {
    const good = manyOf('a', 100);
    const silent = manyOf('b', 8000);
    for (const { nodeId } of good) answers.set(nodeId, answersAfter(ANSWER_MS));
    for (const { nodeId } of silent) answers.set(nodeId, silence);
    start(good);
    await passTime(3_600_000);
    nodes = [...good, ...silent];
    for (const end = time.nowMs + 1.75 * 3_600_000; time.nowMs < end;) {
      for (const each of silent.slice(0, 100)) loop.hurry(each);
      assert.equal(await leastRunning(good, 1 / 60), 100);
    }
    assert.deepEqual(broken, []);
  },
);

for (const [what, hours, answer] of [
  ['say nothing', 4, silence],
  ['answer as late as they can', 8, (signal) => answersAfter(LONG_MS - 1000)(signal)],
] satisfies [string, number, (signal: AbortSignal) => Promise<void>][]) {
  test(
    `2,400 that ${what} cost a hundred good ones nothing, when looks take long`,
    { timeout: 240_000 },
    async () => {
      const good = manyOf('a', 100);
      const others = manyOf('b', 2400);
      for (const { nodeId } of good) answers.set(nodeId, answersAfter(ANSWER_MS));
      for (const { nodeId } of others) answers.set(nodeId, answer);
      start(good, LONG_MS);
      await passTime(EVERY_MS);
      nodes = [...good, ...others];
      assert.equal(await leastRunning(good, hours), 100);
    },
  );
}

test('after a restart those that were seen have their turns within an interval, not all at once', async () => {
  const many = manyOf('c', 40);
  for (const { nodeId } of many) runs.see(nodeId, START_MS);
  start(many);
  await passTime(EVERY_MS / 4);
  const early = asked.length;
  assert.ok(early > 2 && early < 20, `${early} of 40`);
  await passTime(EVERY_MS);
  assert.equal(new Set(asked.map(({ nodeId }) => nodeId)).size, 40);
});

test('stopping waits for nobody', async () => {
  answers.set(a.nodeId, silence);
  start([a]);
  await passTime(1000);
  await loop[Symbol.asyncDispose]();
  assert.deepEqual([asked.length, broken], [1, []]);
});
