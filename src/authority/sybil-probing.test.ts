import assert from 'node:assert/strict';
import { test } from 'vitest';
import { probedChain } from '../../test/probed-chain.ts';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { TEST_TIME, testConsensus, testDescriptor } from '../../test/test-directory.ts';
import { VirtualTime } from '../../test/virtual-time.ts';
import { silent } from '../base/log.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { AttemptError } from '../lookup/attempt-error.ts';
import { encodeQuery } from '../query/query.ts';
import { AskedScripts } from './asked-scripts.ts';
import { CarriedCells } from './carried-cells.ts';
import { probeGateway } from './probe-gateway.ts';
import { probeRelays } from './probe-relays.ts';
import { ProbeRuns } from './probe-runs.ts';
import { type AskableGateway, Prober } from './prober.ts';

const EVERY_MS = 1_800_000;
const HOUR_MS = 3_600_000;
const [HONEST, SYBILS] = [8, 40];
const SCRIPTS = 8;
const { signal } = new AbortController();
const base = testConsensus();

const family = (kind: string, index: number): string => kind + index.toString(16).padStart(31, '0');
const isSybil = ({ nodeId }: ConsensusNode): boolean => nodeId.startsWith('b');

/** Those with bonds have nine tenths of the weight, and the others, of whom there are more, the rest. */
function listed(): readonly ConsensusNode[] {
  const [like] = base.nodes;
  assert.ok(like);
  const node = (nodeId: string, weight: number) => ({ ...like, nodeId, family: nodeId, weight });
  return [
    ...Array.from({ length: HONEST }, (_, index) => node(family('a', index), 4500)),
    ...Array.from({ length: SYBILS }, (_, index) => node(family('b', index), 100)),
  ];
}

/** How a cell fails that one of the sybils is to pass on to another node, or gets by another. */
type Misdeed = (relay: ConsensusNode, gateway: ConsensusNode) => AttemptError | undefined;

const losing: Misdeed = (relay, gateway) =>
  isSybil(relay) === isSybil(gateway)
    ? undefined
    : new AttemptError('relay-timeout', { suspect: 'either' });
const overloading: Misdeed = (relay, gateway) =>
  isSybil(relay) && !isSybil(gateway)
    ? new AttemptError('overload', { suspect: 'gateway' })
    : undefined;

/** The part of the honest nodes that run, from the first hour to the fifth, on average of five draws. */
async function honestRunning(misdeed: Misdeed): Promise<number> {
  const parts = await Promise.all([1, 2, 3, 4, 5].map((seed) => honestRunningOf(seed, misdeed)));
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

async function honestRunningOf(seed: number, misdeed: Misdeed): Promise<number> {
  const { headers, gateway: answering } = probedChain();
  const scriptHash = '77'.repeat(32);
  const known = { scriptHash, tip: headers.chain.tip, items: [] };
  const question = { op: 'HISTORY', scriptHash, proofs: true, raw: true } as const;
  const reply = await answering(encodeQuery(question), { signal });
  const consensus = testConsensus({ nodes: listed() });
  const uniform = seededNumbers(seed);
  const random = (below: number): number => Math.floor(uniform() * below);
  const carried = new CarriedCells();
  const asked = new AskedScripts('nowhere', []);
  const time = new VirtualTime((TEST_TIME + 60) * 1000);
  const now = (): number => time.nowMs;
  const like = testDescriptor('a');
  const nodes = consensus.nodes.map(({ nodeId }) => ({ ...like, nodeId }));
  const ask = async ({ gateway, relays: there }: AskableGateway): Promise<void> => {
    const name = `${random(SCRIPTS)}`;
    const held = asked.of(gateway.nodeId).get(name) ?? [];
    const { relays, bound } = probeRelays({ consensus, gateway, relays: there, held, random });
    asked.keep(gateway.nodeId, new Map(asked.of(gateway.nodeId)).set(name, bound));
    const evidence = { nodeId: '', request: new Uint8Array(), reply: new Uint8Array() };
    const probe = {
      ...{ consensus, gateway, known, relays },
      ask: (relay: ConsensusNode) => {
        const error = misdeed(relay, gateway);
        return error === undefined ? Promise.resolve({ reply, evidence }) : Promise.reject(error);
      },
    };
    const scripts = { isProved: () => Promise.resolve(true) };
    await probeGateway(probe, { scripts, headers, carried, now, clock: now }, signal);
  };
  await using prober = new Prober({
    memory: {
      ...{ there: new ProbeRuns(EVERY_MS), right: new ProbeRuns(EVERY_MS), carried },
      retain: () => undefined,
      save: () => Promise.resolve(),
    },
    asked: { retain: () => undefined, save: () => Promise.resolve() },
    nodes: () => nodes,
    consensus: () => consensus,
    challenge: () => Promise.resolve(),
    ask,
    ...{ everyMs: EVERY_MS, time: time.shifted(0), clock: now, random, log: silent },
  });
  const honest = nodes.filter((_, index) => index < HONEST);
  const seen: number[] = [];
  for (let hour = 1; hour <= 5; hour += 1) {
    await time.runUntil(time.nowMs + HOUR_MS);
    seen.push(honest.filter((node) => prober.isRunning(node)).length / HONEST);
  }
  return seen.reduce((sum, part) => sum + part, 0) / seen.length;
}

test('five times as many nodes without a bond, which lose the cells of others, keep no honest node from running', async () => {
  const part = await honestRunning(losing);
  assert.ok(part > 0.99, `${part} of the honest nodes run`);
});

test('nor do they by bringing gateways to say that they have too much to do', async () => {
  const part = await honestRunning(overloading);
  assert.ok(part > 0.99, `${part} of the honest nodes run`);
});
