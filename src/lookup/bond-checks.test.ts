import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'vitest';
import { chainOfAll, type TestBond, testBond } from '../../test/test-bond.ts';
import { testConsensus } from '../../test/test-directory.ts';
import { utf8 } from '../base/bytes.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { type BondChain } from '../bond/verify-bond.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode, type NodeFlag } from '../directory/consensus-node.ts';
import { nodeOf } from '../directory/directory-view.ts';
import { type NodeId } from '../directory/node-id.ts';
import { BondChecks, type BondRelays } from './bond-checks.ts';
import { LookupError, NOBODY } from './fault.ts';
import { FaultLog } from './fault-log.ts';

const { signal } = new AbortController();
const base = testConsensus();
const [ONE, OTHER, RELAY] = base.nodes as [ConsensusNode, ConsensusNode, ConsensusNode];
const SATS = 100_000;
/** Outputs, each in a block of its own. */
const COINS = { first: 100, second: 200 };
type Coin = keyof typeof COINS;

const bondOf = ({ nodeId }: ConsensusNode, coin: Coin): TestBond & { nodeId: NodeId } => {
  const height = COINS[coin];
  return { nodeId, ...testBond({ nodeId, sats: SATS + height, height }) };
};
const fileOf = (...bond: Parameters<typeof bondOf>): Uint8Array =>
  utf8(renderBondFile(bondOf(...bond)));
const chain = chainOfAll([bondOf(ONE, 'first'), bondOf(ONE, 'second')]);
const NO_HEADERS: BondChain = { tip: { height: 0 }, headerAt: () => undefined };

let now: number;
let files: Map<NodeId, Uint8Array>;
let asked: NodeId[];
let faults: FaultLog;
let checks: BondChecks;
let known: BondChain;
/** Brings what is known of the chain up to date. */
let sync: () => Promise<void>;

beforeEach(() => {
  now = base.validAfter * 1000;
  files = new Map();
  asked = [];
  faults = new FaultLog();
  const directory = (_kind: number, digest: Uint8Array): Promise<Uint8Array> => {
    asked.push(nodeOf(digest));
    return Promise.resolve(files.get(nodeOf(digest)) ?? new Uint8Array(0));
  };
  const pool: BondRelays = { link: () => Promise.resolve({ directory }) };
  known = chain;
  sync = () => Promise.resolve();
  checks = new BondChecks({
    pool,
    chain: {
      get tip() {
        return known.tip;
      },
      headerAt: (height) => known.headerAt(height),
    },
    syncOnce: () => sync(),
    faults,
    clock: () => now,
  });
});
afterEach(() => checks[Symbol.asyncDispose]());

/** A relay without a bond, and these nodes with bonds of this weight. */
function listing(bonded: readonly ConsensusNode[], weight = SATS): Consensus {
  const flags = new Set<NodeFlag>(['Relay', 'Gateway', 'Running', 'Bonded']);
  const nodes = [...bonded.map((node) => ({ ...node, weight, flags })), RELAY];
  return { ...base, nodes, node: (id) => nodes.find(({ nodeId }) => nodeId === id) };
}

/** What the node weighs to this client, once it would have been chosen. */
function weightOf({ nodeId }: ConsensusNode, consensus: Consensus, relay = RELAY): Promise<number> {
  const listed = (judged: Consensus): ConsensusNode => {
    const node = judged.node(nodeId);
    assert.ok(node);
    return node;
  };
  const choice = {
    newcomers: (judged: Consensus) => [{ node: listed(judged), relays: [relay] }],
    choose: (judged: Consensus) => listed(judged).weight,
  };
  return checks.chosen(choice, { consensus, purpose: 'lookup', signal });
}

const HALF_FRESH_MS = 500 * (base.freshUntil - base.validAfter);

test('a bond that relays have not fetched yet is asked for again after a minute, and nobody is blamed', async () => {
  const consensus = listing([ONE]);
  assert.equal(await weightOf(ONE, consensus), 0);
  assert.deepEqual(faults.entries, []);
  files.set(ONE.nodeId, fileOf(ONE, 'first'));
  assert.equal(await weightOf(ONE, consensus), 0);
  now += 60_000;
  assert.equal(await weightOf(ONE, consensus), SATS);
});

test('a bond that nobody shows of a consensus that is not new any more is told, without a culprit', async () => {
  now += HALF_FRESH_MS;
  assert.equal(await weightOf(ONE, listing([ONE])), 0);
  const [fault, ...more] = faults.entries;
  assert.deepEqual([fault?.code, fault?.culprit.role], ['bond-unproved', 'unknown']);
  assert.deepEqual(more, []);
});

test('a bond that is smaller than the weight may be the one before it', async () => {
  files.set(ONE.nodeId, fileOf(ONE, 'first'));
  const consensus = listing([ONE], SATS + COINS.second);
  assert.equal(await weightOf(ONE, consensus), 0);
  assert.deepEqual(faults.entries, []);
  files.set(ONE.nodeId, fileOf(ONE, 'second'));
  now += 60_000;
  assert.equal(await weightOf(ONE, consensus), SATS + COINS.second);
});

test.each([
  ['is malformed', () => utf8('sotto-bond/1\n')],
  ['is of another node', () => fileOf(OTHER, 'first')],
  [
    'the chain refutes',
    () => {
      const made = bondOf(ONE, 'first');
      return utf8(renderBondFile({ ...made, bond: { ...made.bond, sats: 21e14 } }));
    },
  ],
])('a file that %s is the fault of the relay that shows it', async (_what, file) => {
  files.set(ONE.nodeId, file());
  assert.equal(await weightOf(ONE, listing([ONE])), 0);
  assert.deepEqual(
    faults.entries.map(({ code, culprit }) => [code, culprit]),
    [['bond-unproved', { role: 'relay', nodeId: RELAY.nodeId }]],
  );
});

test('where no headers can be had the choice fails with why, blames no relay, and is made later', async () => {
  const why = new LookupError('headers-unavailable', 'no headers', { culprit: NOBODY });
  known = NO_HEADERS;
  sync = () => Promise.reject(why);
  files.set(ONE.nodeId, fileOf(ONE, 'first')).set(OTHER.nodeId, fileOf(OTHER, 'second'));
  const consensus = listing([ONE, OTHER]);
  const bonded = consensus.node(OTHER.nodeId);
  assert.ok(bonded);
  await assert.rejects(weightOf(ONE, consensus), why);
  await assert.rejects(weightOf(ONE, consensus, bonded), why);
  await assert.rejects(checks.mayUse(bonded, { consensus, purpose: 'lookup', signal }), why);
  assert.deepEqual(faults.entries, []);
  sync = () => {
    known = chain;
    return Promise.resolve();
  };
  assert.equal(await weightOf(ONE, consensus, bonded), SATS);
  assert.deepEqual(faults.entries, []);
});

test('of two nodes with the same coins the second is not chosen', async () => {
  files.set(ONE.nodeId, fileOf(ONE, 'first')).set(OTHER.nodeId, fileOf(OTHER, 'first'));
  const consensus = listing([ONE, OTHER]);
  assert.equal(await weightOf(ONE, consensus), SATS);
  now += HALF_FRESH_MS;
  for (let again = 0; again < 2; again += 1) {
    assert.equal(await weightOf(OTHER, consensus), 0);
    assert.equal(await weightOf(ONE, consensus), SATS);
    now += 600_000;
  }
  assert.match(faults.entries[0]?.message ?? '', /has the same bond/);
  assert.equal(faults.entries.length, 1);
});

test('coins that have moved are the bond of the node that has them now', async () => {
  files.set(ONE.nodeId, fileOf(ONE, 'first'));
  assert.equal(await weightOf(ONE, listing([ONE])), SATS);
  now += 3_600_000;
  files.set(ONE.nodeId, fileOf(ONE, 'second')).set(OTHER.nodeId, fileOf(OTHER, 'first'));
  const moved = listing([ONE, OTHER]);
  assert.equal(await weightOf(OTHER, moved), SATS);
  assert.equal(await weightOf(ONE, moved), SATS);
  assert.deepEqual(
    asked,
    [ONE, OTHER, ONE].map(({ nodeId }) => nodeId),
  );
  assert.deepEqual(faults.entries, []);
});

test('a claim that nobody shows any more stands against another for a day', async () => {
  files.set(ONE.nodeId, fileOf(ONE, 'first'));
  const consensus = listing([ONE, OTHER]);
  assert.equal(await weightOf(ONE, consensus), SATS);
  files.delete(ONE.nodeId);
  files.set(OTHER.nodeId, fileOf(OTHER, 'first'));
  now += 86_300_000;
  assert.equal(await weightOf(OTHER, consensus), 0);
  now += 600_000;
  assert.equal(await weightOf(OTHER, consensus), SATS);
  assert.equal(await weightOf(ONE, consensus), 0);
});
