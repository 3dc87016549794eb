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

const fails = (): Promise<void> => Promise.reject(new Error('out of reach'));
const silence = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

function start(known: readonly Probed[]): void {
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
    patienceMs: PATIENCE_MS,
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

test('who answers runs, and who does not is asked three times and does not run', async () => {
  answers.set(b.nodeId, fails);
  start([a, b]);
  await passTime(EVERY_MS / 2 - 1000);
  assert.deepEqual([isRunning(a), isRunning(b)], [true, false]);
  assert.deepEqual([timesOf(a).length, timesOf(b).length], [1, 3]);
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
  assert.equal(timesOf(a).length, 3);
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
  start([a]);
  await passTime(1000);
  answers.set(a.nodeId, () => Promise.reject(new ProbeError('unclear', 'no relay')));
  await passTime(2 * EVERY_MS);
  assert.ok(timesOf(a).length > 4);
  assert.equal(isRunning(a), true);
  await passTime(EVERY_MS);
  assert.deepEqual([isRunning(a), broken], [false, []]);
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

test('after a restart those that were seen have their turns within an interval, not all at once', async () => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    nodeId: index.toString(16).padStart(32, '0'),
  }));
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
