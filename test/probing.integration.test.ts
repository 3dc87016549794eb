import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { askGateway } from '../src/authority/ask-gateway.ts';
import { openAskedScripts } from '../src/authority/asked-scripts.ts';
import { KnownScripts } from '../src/authority/known-scripts.ts';
import { openProberMemory, type ProberMemory } from '../src/authority/prober-memory.ts';
import { Prober } from '../src/authority/prober.ts';
import { steadyTime } from '../src/authority/time.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import type { Descriptor } from '../src/directory/descriptor.ts';
import { type OpenTarget, openTarget } from '../src/electrum/open-target.ts';
import { historyStatus } from '../src/electrum/history-status.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { decodeHistoryBody, encodeHistoryBody } from '../src/query/history-body.ts';
import type { Reply } from '../src/relay/message.ts';
import {
  type LookupNetwork,
  type Misdeeds,
  startLookupNetwork,
  type TestNode,
} from './lookup-network.ts';
import { testDescriptor } from './test-directory.ts';

const EVERY_MS = 1_500;
/** So that a gateway that is asked through a second relay is still looked at in time. */
const ANSWER_MS = 1_000;
const network = 'regtest';
const clock = Date.now;
const { signal } = new AbortController();
const WAITING = { timeoutMs: 50_000, intervalMs: 20, signal };

let net: LookupNetwork;
let target: OpenTarget;
let scope: Scope;
let memory: ProberMemory;
let described: readonly Descriptor[];
const whole = new Scope();

beforeAll(async () => {
  net = whole.use(await startLookupNetwork({ nodes: 5, addresses: 6 }));
  const like = testDescriptor('a');
  described = net.nodes.map(({ nodeId }) => ({ ...like, nodeId }));
  const at = { host: '127.0.0.1', port: net.electrumPort };
  target = whole.use(await openTarget({ target: at, network, clock, log: silent, signal }));
});
afterAll(() => whole[Symbol.asyncDispose]());
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  net.repent();
});

/** Looks at all nodes of the network, and resolves when all run. */
async function startProber(): Promise<Prober> {
  scope = new Scope();
  const { path: directory } = scope.use(await makeTemporaryDirectory());
  const path = join(directory, 'probes.json');
  const { now } = steadyTime;
  memory = await openProberMemory({
    path,
    everyMs: EVERY_MS,
    now: now(),
    clock,
    log: silent,
  });
  const { client, headers } = target;
  const { chain } = headers;
  const asked = await openAskedScripts({ path: join(directory, 'scripts.json'), log: silent });
  const scripts = new KnownScripts({ network, client, chain, asked, random: randomInt });
  const prober = scope.use(
    new Prober({
      ...{ memory, asked },
      nodes: () => described,
      consensus: () => net.consensus,
      challenge: () => Promise.resolve(),
      ask: (gateway, asking) =>
        askGateway(
          gateway,
          {
            ...{ scripts, asked, headers, carried: memory.carried, now, random: randomInt },
            ...{ dial: net.dial, network, clock, connectMs: 1_000, answerMs: ANSWER_MS },
          },
          asking,
        ),
      everyMs: EVERY_MS,
      time: steadyTime,
      clock,
      random: randomInt,
      log: silent,
    }),
  );
  await untilRunning(prober, net.nodes);
  return prober;
}

/** Resolves when the node does not run for what it does, and all others run. */
async function untilOut(prober: Prober, misdeeds: Misdeeds, node = net.nodes[0]): Promise<void> {
  assert.ok(node);
  node.misdeeds = misdeeds;
  const others = net.nodes.filter((each) => each !== node);
  await untilRunning(prober, others);
}

/** A relay that carried what was asked of three gateways: scripts are bound to relays by chance. */
async function busyRelay(): Promise<TestNode> {
  const isBusy = (): TestNode | undefined => {
    const busy = [...memory.carried.entries()].find(([, notes]) => notes.length >= 3);
    return net.nodes.find(({ nodeId }) => nodeId === busy?.[0]);
  };
  return waitUntil(isBusy, { ...WAITING, what: 'a relay to carry for three gateways' });
}

/** Waits until those of the nodes run, and all others do not. */
async function untilRunning(prober: Prober, nodes: readonly TestNode[]): Promise<void> {
  const running = (): readonly string[] =>
    described.flatMap((each) => (prober.isRunning(each) ? [each.nodeId] : []));
  const wanted = nodes.map(({ nodeId }) => nodeId);
  await waitUntil(() => running().join() === wanted.join() || undefined, {
    ...WAITING,
    what: `${wanted.join(', ')} to run`,
    instead: () => running().join(', '),
  });
}

/** Says that the newest transaction is not there. */
function withoutTheNewest(reply: Reply): Reply {
  const { entries, total, first } = decodeHistoryBody(reply.body);
  const left = entries.slice(0, -1);
  if (total !== entries.length) return reply;
  const body = encodeHistoryBody({
    ...{ total: left.length, first, entries: left, status: historyStatus(left) },
  });
  return { ...reply, body };
}

test('honest nodes run: they are asked about addresses of the chain, as by a client', async () => {
  const prober = await startProber();
  await waitUntil(
    () => net.nodes.every(({ scriptsAsked }) => scriptsAsked.length >= 2) || undefined,
    { ...WAITING, what: 'two questions to each' },
  );
  await untilRunning(prober, net.nodes);
});

test('a gateway that leaves something out does not run, and the relays to it do', async () => {
  const prober = await startProber();
  await untilOut(prober, { reply: withoutTheNewest });
});

test('a gateway that answers as of another chain does not run, and the relays to it do', async () => {
  const prober = await startProber();
  await untilOut(prober, {
    reply: (reply) => ({ ...reply, tipHash: new Uint8Array(32) }),
  });
});

test('a gateway that is silent does not run, and the relays to it do', async () => {
  const prober = await startProber();
  await untilOut(prober, {
    incoming: (frame, wire) => {
      if (frame.type !== 'IN') wire.send(frame);
    },
  });
});

test('a relay that drops cells does not run, until it carries them again; the gateways behind it do', async () => {
  const prober = await startProber();
  const dropsCells: Misdeeds = {
    incoming: (frame, wire) => {
      if (frame.type !== 'FORWARD') wire.send(frame);
    },
  };
  await untilOut(prober, dropsCells, await busyRelay());
  net.repent();
  await untilRunning(prober, net.nodes);
}, 160_000);
