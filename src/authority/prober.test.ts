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
import { AskedScripts } from './asked-scripts.ts';
import { ProbeError } from './probe-error.ts';
import { openProberMemory, type ProberMemory } from './prober-memory.ts';
import { type AskableGateway, Prober } from './prober.ts';

const EVERY_MS = 1_800_000;
const START_MS = (TEST_TIME + 60) * 1000;
const nodes = ['a', 'b', 'c', 'd'].map((name) => testDescriptor(name));
const [a, b] = nodes as [Descriptor, Descriptor];
const news = testDescriptor('e');
const relayOnly = testDescriptor('f', { roles: new Set(['relay'] as const) });

let scope: Scope;
let path: string;
let time: VirtualTime;
let here: readonly Descriptor[];
let consensus: Consensus | undefined;
let asked: AskableGateway[];
let away: Set<NodeId>;
let wrong: Set<NodeId>;
let memory: ProberMemory;
let prober: Prober;

beforeEach(async () => {
  scope = new Scope();
  path = join(scope.use(await makeTemporaryDirectory()).path, 'probes.json');
  time = new VirtualTime(START_MS);
  here = nodes;
  consensus = testConsensus();
  asked = [];
  away = new Set();
  wrong = new Set();
});
afterEach(async () => {
  await prober[Symbol.asyncDispose]();
  await scope[Symbol.asyncDispose]();
});

async function start(): Promise<void> {
  const uniform = seededNumbers(5);
  memory = await openProberMemory({ path, everyMs: EVERY_MS, now: time.nowMs, log: silent });
  prober = new Prober({
    memory,
    asked: new AskedScripts(`${path}.scripts`, []),
    nodes: () => here,
    consensus: () => consensus,
    challenge: ({ nodeId }) =>
      away.has(nodeId) ? Promise.reject(new Error('nobody')) : Promise.resolve(),
    ask: (gateway) => {
      asked.push(gateway);
      return wrong.has(gateway.nodeId)
        ? Promise.reject(new ProbeError('wrong', 'a lie'))
        : Promise.resolve();
    },
    everyMs: EVERY_MS,
    time: time.shifted(0),
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
