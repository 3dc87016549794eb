import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'vitest';
import { testDescriptor } from '../../test/test-directory.ts';
import { VirtualTime } from '../../test/virtual-time.ts';
import { silent } from '../base/log.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { Prober } from './prober.ts';

const EVERY_MS = 1_800_000;
const DAY_MS = 86_400_000;
const START_MS = 1_000_000_000_000;
const a = testDescriptor('a');
const b = testDescriptor('b');

let time: VirtualTime;
let nodes: readonly Descriptor[];
let asked: string[];
/** How a node answers; usually at once. */
let answers: Map<string, (signal: AbortSignal) => Promise<void>>;
let prober: Prober;

const fails = (): Promise<void> => Promise.reject(new Error('out of reach'));
const silence = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

function start(known: readonly Descriptor[]): void {
  nodes = known;
  prober = new Prober({
    ask: ({ nodeId }, signal) => {
      asked.push(nodeId);
      return answers.get(nodeId)?.(signal) ?? Promise.resolve();
    },
    nodes: () => nodes,
    everyMs: EVERY_MS,
    time: time.shifted(0),
    log: silent,
  });
}

beforeEach(() => {
  time = new VirtualTime(START_MS);
  asked = [];
  answers = new Map();
});
afterEach(() => prober[Symbol.asyncDispose]());

const passTime = (ms: number): Promise<void> => time.runUntil(time.nowMs + ms);

test('who answers runs, and who does not is asked three times and does not run', async () => {
  answers.set(b.nodeId, fails);
  start([a, b]);
  await passTime(1000);
  assert.deepEqual([prober.isRunning(a.nodeId), prober.isRunning(b.nodeId)], [true, false]);
  assert.equal(asked.filter((nodeId) => nodeId === b.nodeId).length, 3);
  assert.equal(prober.isStable(a.nodeId), false);
});

test('one failure is not the end, three are, until it answers again', async () => {
  start([a]);
  let failures = 2;
  answers.set(a.nodeId, () => (failures-- > 0 ? fails() : Promise.resolve()));
  await passTime(1000);
  assert.equal(prober.isRunning(a.nodeId), true);
  failures = 3;
  await passTime(EVERY_MS);
  assert.equal(prober.isRunning(a.nodeId), false);
  await passTime(EVERY_MS);
  assert.equal(prober.isRunning(a.nodeId), true);
});

test('a node that says nothing is given up in time, and holds up no other', async () => {
  answers.set(a.nodeId, silence);
  start([a, b]);
  await passTime(1000);
  assert.equal(prober.isRunning(b.nodeId), true);
  await passTime(3 * 90_000);
  assert.equal(prober.isRunning(a.nodeId), false);
  assert.equal(asked.filter((nodeId) => nodeId === a.nodeId).length, 3);
});

test('three days without a break make a node stable, and a break begins them anew', async () => {
  start([a]);
  await passTime(3 * DAY_MS - 1000);
  assert.equal(prober.isStable(a.nodeId), false);
  await passTime(EVERY_MS);
  assert.equal(prober.isStable(a.nodeId), true);
  answers.set(a.nodeId, fails);
  await passTime(EVERY_MS);
  answers.delete(a.nodeId);
  await passTime(EVERY_MS);
  assert.deepEqual([prober.isRunning(a.nodeId), prober.isStable(a.nodeId)], [true, false]);
});

test('a new node is asked at once, and one that is gone is forgotten', async () => {
  start([]);
  await passTime(1000);
  nodes = [a];
  prober.probe(a);
  await passTime(1000);
  assert.equal(prober.isRunning(a.nodeId), true);
  nodes = [];
  await passTime(EVERY_MS);
  assert.equal(prober.isRunning(a.nodeId), false);
});

test('stopping waits for nobody', async () => {
  answers.set(a.nodeId, silence);
  start([a]);
  await passTime(1000);
  await prober[Symbol.asyncDispose]();
  assert.equal(asked.length, 1);
});
