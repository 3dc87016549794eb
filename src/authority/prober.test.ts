import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { TEST_TIME, testConsensus, testDescriptor } from '../../test/test-directory.ts';
import { VirtualTime } from '../../test/virtual-time.ts';
import { Scope } from '../base/lifecycle.ts';
import { silent } from '../base/log.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type NodeId } from '../directory/node-id.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { AskedScripts } from './asked-scripts.ts';
import { ProbeError } from './probe-error.ts';
import { openProberMemory, type ProberMemory } from './prober-memory.ts';
import { type AskableGateway, Prober } from './prober.ts';

const EVERY_MS = 1_800_000;
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
/** By so much a gateway lets a clock be wrong. */
const SKEW_MS = 600_000;
const START_MS = (TEST_TIME + 60) * 1000;
const nodes = ['a', 'b', 'c', 'd'].map((name) => testDescriptor(name));
const [a, b] = nodes as [Descriptor, Descriptor];
const news = testDescriptor('e');
const relayOnly = testDescriptor('f', { roles: new Set(['relay'] as const) });

let scope: Scope;
let path: string;
let time: VirtualTime;
/** By how much the clock of the machine is ahead. */
let aheadMs: number;
let here: readonly Descriptor[];
let consensus: Consensus | undefined;
let asked: AskableGateway[];
let challenges: number;
let away: Set<NodeId>;
let wrong: Set<NodeId>;
let failing: Set<NodeId>;
/** Those that say of any time that it is not theirs. */
let refusing: Set<NodeId>;
let memory: ProberMemory;
let prober: Prober;

beforeEach(async () => {
  scope = new Scope();
  path = join(scope.use(await makeTemporaryDirectory()).path, 'probes.json');
  time = new VirtualTime(START_MS);
  aheadMs = 0;
  here = nodes;
  consensus = testConsensus();
  asked = [];
  challenges = 0;
  away = new Set();
  wrong = new Set();
  failing = new Set();
  refusing = new Set();
});
afterEach(async () => {
  await prober[Symbol.asyncDispose]();
  await scope[Symbol.asyncDispose]();
});

async function start(): Promise<void> {
  const uniform = seededNumbers(5);
  const clock = (): number => time.nowMs + aheadMs;
  memory = await openProberMemory({ path, everyMs: EVERY_MS, now: time.nowMs, clock, log: silent });
  prober = new Prober({
    memory,
    asked: new AskedScripts(`${path}.scripts`, []),
    nodes: () => here,
    consensus: () => consensus,
    challenge: ({ nodeId }) => {
      challenges += 1;
      return away.has(nodeId) ? Promise.reject(new Error('nobody')) : Promise.resolve();
    },
    ask: (gateway) => {
      asked.push(gateway);
      if (failing.has(gateway.nodeId)) return Promise.reject(new Error('silence'));
      if (Math.abs(aheadMs) > SKEW_MS || refusing.has(gateway.nodeId)) {
        return Promise.reject(new LookupError('time-skew', 'another time', { culprit: NOBODY }));
      }
      return wrong.has(gateway.nodeId)
        ? Promise.reject(new ProbeError('wrong', 'a lie'))
        : Promise.resolve();
    },
    everyMs: EVERY_MS,
    time: time.shifted(0),
    clock,
    random: (below) => Math.floor(uniform() * below),
    log: silent,
  });
}

const passTime = (ms: number): Promise<void> => time.runUntil(time.nowMs + ms);
const running = (): readonly NodeId[] =>
  here.flatMap((each) => (prober.isRunning(each) ? [each.nodeId] : []));
const ids = (descriptors: readonly Descriptor[]): readonly NodeId[] =>
  descriptors.map(({ nodeId }) => nodeId);

test('a node runs that is there and, as a gateway, answers right', async () => {
  away.add(a.nodeId);
  wrong.add(b.nodeId);
  await start();
  await passTime(EVERY_MS / 4);
  assert.deepEqual(running(), ids(nodes.slice(2)));
});

test('while no consensus is there or it has expired, being there is enough', async () => {
  consensus = undefined;
  await start();
  await passTime(EVERY_MS / 4);
  assert.deepEqual([running(), asked], [ids(nodes), []]);
  consensus = testConsensus();
  wrong = new Set(ids(nodes));
  await passTime(EVERY_MS / 4);
  assert.deepEqual(running(), []);
  await time.runUntil(consensus.validUntil * 1000 + EVERY_MS);
  assert.deepEqual(running(), ids(nodes));
});

test('with relays of fewer than three families, being there is enough', async () => {
  consensus = testConsensus({ nodes: testConsensus().nodes.slice(0, 2) });
  await start();
  await passTime(EVERY_MS / 4);
  assert.deepEqual([running(), asked], [ids(nodes), []]);
});

test('a new gateway runs only when it is listed and was asked; one that is a relay only, at once', async () => {
  here = [...nodes, news, relayOnly];
  await start();
  prober.probe(news);
  await passTime(EVERY_MS / 4);
  assert.deepEqual(running(), ids([...nodes, relayOnly]));
  const [like] = testConsensus().nodes;
  assert.ok(like);
  const { nodeId } = news;
  const listed = [...testConsensus().nodes, { ...like, nodeId, family: nodeId }];
  consensus = testConsensus({ nodes: listed.sort((x, y) => (x.nodeId < y.nodeId ? -1 : 1)) });
  await passTime(EVERY_MS / 4);
  assert.deepEqual(running(), ids(here));
});

test('a gateway is asked through relays that are there, and a relay that loses cells does not run', async () => {
  away.add(b.nodeId);
  await start();
  await passTime(EVERY_MS / 4);
  const loser = nodes[2]?.nodeId ?? '';
  assert.ok(running().includes(loser));
  for (const family of ids(nodes.slice(0, 2))) {
    memory.carried.note(loser, { family, carried: false, at: time.nowMs });
  }
  assert.ok(asked.length >= 3);
  for (const { relays } of asked) {
    assert.deepEqual(
      new Set(relays.map(({ nodeId }) => nodeId)),
      new Set(ids([a, ...nodes.slice(2)])),
    );
  }
  assert.equal(running().includes(loser), false);
});

test('what was seen is there after a restart', async () => {
  consensus = testConsensus({
    validAfter: TEST_TIME + 4 * 86_400,
    freshUntil: TEST_TIME + 5 * 86_400 - 1,
    validUntil: TEST_TIME + 5 * 86_400,
  });
  wrong.add(b.nodeId);
  await start();
  await passTime(4 * 86_400_000);
  assert.deepEqual([prober.isStable(a), prober.isRunning(b)], [true, false]);
  await prober[Symbol.asyncDispose]();
  await start();
  assert.deepEqual([prober.isStable(a), prober.isRunning(b)], [true, false]);
});

/** Lets so much time pass, with a new consensus every six hours; all of these are stable in each of them. */
async function passHours(count: number, stable: readonly Descriptor[]): Promise<void> {
  for (let hour = 0; hour < count; hour += 1) {
    if (hour % 6 === 0) renewConsensus();
    await passTime(HOUR_MS);
    const flagged = here.filter((each) => prober.isStable(each));
    assert.deepEqual(ids(flagged), ids(stable), `hour ${hour + 1}, ${aheadMs} ms ahead`);
  }
}

function renewConsensus(): void {
  const validAfter = Math.floor(time.nowMs / 1000);
  const [freshUntil, validUntil] = [validAfter + 6 * 3600, validAfter + 24 * 3600];
  consensus = testConsensus({ validAfter, freshUntil, validUntil });
}

/** All are stable. */
async function startStable(): Promise<void> {
  await start();
  for (let day = 0; day < 4; day += 1) {
    renewConsensus();
    await passTime(DAY_MS - 1000);
  }
  await passHours(1, nodes);
}

for (const [what, setMs] of [
  ['a day back', -DAY_MS],
  ['two hours back', -2 * HOUR_MS],
  ['two hours on', 2 * HOUR_MS],
  ['a day on', DAY_MS],
] as const) {
  test(`a clock that is set ${what}, and right again a day later, takes the flags of nobody`, async () => {
    await startStable();
    aheadMs = setMs;
    await passHours(24, nodes);
    aheadMs = 0;
    asked = [];
    await passHours(12, nodes);
    assert.equal(new Set(asked.map(({ nodeId }) => nodeId)).size, nodes.length);
  });

  test(`nodes are looked at as often as before when the clock is set ${what}`, async () => {
    await startStable();
    challenges = 0;
    await passTime(20 * EVERY_MS);
    const before = challenges;
    aheadMs = setMs;
    await passTime(EVERY_MS / 64 + 1000);
    assert.ok(challenges - before <= nodes.length, 'they are not looked at all at once');
    challenges = 0;
    asked = [];
    await passTime(20 * EVERY_MS);
    for (const count of [before, challenges]) {
      assert.ok(count >= 70 && count <= 95, `${count} looks at four nodes in twenty intervals`);
    }
    assert.ok(asked.length <= 95, `${asked.length} questions to four gateways in twenty intervals`);
  });
}

test('a clock that is set right after the start, before a gateway has answered, takes the flags of nobody', async () => {
  await startStable();
  await prober[Symbol.asyncDispose]();
  await start();
  aheadMs = -2 * HOUR_MS;
  await passHours(6, nodes);
  aheadMs = 0;
  await passHours(6, nodes);
});

test('when a clock that was ahead at the start is set back, looks go on and gateways are asked', async () => {
  aheadMs = DAY_MS;
  await start();
  await passTime(3 * EVERY_MS);
  assert.deepEqual([running(), asked], [ids(nodes), []]);
  aheadMs = 0;
  renewConsensus();
  challenges = 0;
  failing.add(b.nodeId);
  await passTime(2 * EVERY_MS);
  assert.ok(challenges >= nodes.length);
  assert.deepEqual(running(), ids([a, ...nodes.slice(2)]));
});

test('a start by a clock that is a day ahead, after hours off, takes Stable of nobody', async () => {
  await startStable();
  await prober[Symbol.asyncDispose]();
  await passTime(3 * HOUR_MS);
  aheadMs = DAY_MS;
  await start();
  await passTime(3 * HOUR_MS);
  aheadMs = 0;
  renewConsensus();
  await passTime(EVERY_MS + HOUR_MS / 6);
  assert.deepEqual(ids(here.filter((each) => prober.isStable(each))), ids(nodes));
});

test('a clock that is set excuses no gateway that refuses while another one answers right', async () => {
  await startStable();
  aheadMs = SKEW_MS / 2;
  refusing.add(b.nodeId);
  await passTime(2 * EVERY_MS);
  assert.deepEqual(running(), ids([a, ...nodes.slice(2)]));
});

test('by a wrong clock a gateway that says nothing is out as ever, and one that goes on refusing once it is right', async () => {
  const [, , c, d] = nodes as [Descriptor, Descriptor, Descriptor, Descriptor];
  await startStable();
  aheadMs = 2 * HOUR_MS;
  failing.add(b.nodeId);
  refusing.add(c.nodeId);
  await passTime(2 * EVERY_MS);
  await passHours(23, [a, c, d]);
  aheadMs = 0;
  await passTime(2 * EVERY_MS);
  assert.deepEqual(running(), ids([a, d]));
});

test('time in which no gateway can be asked makes no run of one longer', async () => {
  await start();
  renewConsensus();
  await passTime(2 * DAY_MS);
  aheadMs = DAY_MS;
  await passTime(2 * DAY_MS);
  aheadMs = 0;
  renewConsensus();
  await passTime(EVERY_MS);
  assert.deepEqual([prober.isRunning(a), prober.isStable(a)], [true, false]);
});

test('who answered wrong is barred as long whatever the clock is set to', async () => {
  await start();
  await passTime(HOUR_MS);
  wrong.add(b.nodeId);
  while (running().length === nodes.length) await passTime(60_000);
  wrong.clear();
  const barredAt = time.nowMs;
  aheadMs = 9 * HOUR_MS;
  await passTime(HOUR_MS);
  aheadMs = 0;
  renewConsensus();
  await time.runUntil(barredAt + 8 * HOUR_MS - 60_000);
  assert.deepEqual(running(), ids([a, ...nodes.slice(2)]));
  await passTime(2 * EVERY_MS);
  assert.deepEqual(running(), ids(nodes));
});
