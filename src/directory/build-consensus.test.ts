import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  testConsensus,
  TEST_TIME,
  testAuthorities,
  testDescriptor,
  testKeyConfig,
} from '../../test/test-directory.ts';
import { testVote } from '../../test/test-votes.ts';
import { buildConsensus } from './build-consensus.ts';
import { type Consensus, type NodeFlag, parseConsensus, renderConsensus } from './consensus.ts';
import { countVotes, type Tally } from './count-votes.ts';
import { type Descriptor } from './descriptor.ts';
import { type Bond } from './bond-line.ts';
import { type VotedNode } from './vote.ts';

const ALL: readonly NodeFlag[] = ['Relay', 'Gateway', 'Running', 'Stable'];

/** A tally that lists these descriptors, each with what is said of it. */
function tallyOf(
  descriptors: readonly Descriptor[],
  { flags = ALL, bonds = [] }: { flags?: readonly NodeFlag[]; bonds?: readonly number[] } = {},
): Tally {
  const votes = testAuthorities(3).map((author) => testVote(author));
  const tally = countVotes(votes, 5);
  assert.ok(typeof tally !== 'string');
  const nodes = descriptors.map(({ nodeId, digest }, index): VotedNode => ({
    nodeId,
    descriptorDigest: digest,
    bond: bonds[index] ?? 0,
    flags: new Set(flags),
  }));
  return { ...tally, nodes: nodes.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)) };
}

function build(tally: Tally, descriptors: readonly Descriptor[], previous?: Consensus): Consensus {
  const descriptorOf = ({ descriptorDigest }: VotedNode): Descriptor => {
    const found = descriptors.find(({ digest }) => Buffer.from(digest).equals(descriptorDigest));
    assert.ok(found !== undefined);
    return found;
  };
  return parseConsensus(renderConsensus(buildConsensus({ tally, descriptorOf, previous })));
}

const bondAt = (vout: number): Bond => ({
  txid: 'ab'.repeat(32),
  vout,
  sats: 1_000_000,
  locktime: 2_000_000_000,
  publicKey: new Uint8Array(33).fill(2),
  expiry: 500,
  signature: new Uint8Array(64),
});

test('the consensus says of the nodes what the votes say, and the rest from their descriptors', () => {
  const descriptors = ['a', 'b'].map((name) => testDescriptor(name));
  const tally = tallyOf(descriptors, { flags: ['Gateway', 'Running'] });
  const consensus = build(tally, descriptors);
  assert.equal(consensus.epoch, tally.epoch);
  assert.deepEqual(consensus.log, tally.log);
  assert.equal(consensus.nodes.length, 2);
  for (const { nodeId, flags, onion } of consensus.nodes) {
    assert.deepEqual([...flags], ['Gateway', 'Running']);
    assert.deepEqual(onion, descriptors.find((each) => each.nodeId === nodeId)?.onion);
  }
});

test('a node has no flag of a role that it does not have, and is not listed without a role', () => {
  const relay = testDescriptor('a', { roles: new Set(['relay'] as const) });
  const [node] = build(tallyOf([relay]), [relay]).nodes;
  assert.deepEqual([...(node?.flags ?? [])], ['Relay', 'Running', 'Stable']);
  assert.equal(build(tallyOf([relay], { flags: ['Gateway', 'Running'] }), [relay]).nodes.length, 0);
});

test.each([
  ['has expired', { expires: TEST_TIME }],
  ['is of the time to come', { published: TEST_TIME + 1 }],
])('a node whose descriptor %s is not listed, whoever votes for it', (_what, changes) => {
  const descriptors = [testDescriptor('a', changes), testDescriptor('b')];
  assert.equal(build(tallyOf(descriptors), descriptors).nodes.length, 1);
});

test('a descriptor of another node than the votes say is not listed', () => {
  const descriptor = testDescriptor('a');
  const tally = tallyOf([descriptor]);
  const nodes = tally.nodes.map((node) => ({ ...node, nodeId: 'f'.repeat(32) }));
  assert.equal(build({ ...tally, nodes }, [descriptor]).nodes.length, 0);
});

test('a node that swaps a key which was announced is not listed, because clients refuse it', () => {
  const previous = testConsensus();
  const swapped = testDescriptor('a', {
    keyConfigs: [
      { epoch: 20_788, keyConfig: testKeyConfig('swapped', 20_788) },
      { epoch: 20_789, keyConfig: testKeyConfig('swapped', 20_789) },
    ],
  });
  const descriptors = [swapped, testDescriptor('b')];
  assert.equal(build(tallyOf(descriptors), descriptors).nodes.length, 2);
  assert.equal(build(tallyOf(descriptors), descriptors, previous).nodes.length, 1);
});

/** As of a network in which few bonds are enough for them to count. */
const FEW_BONDS = new Map([
  ['bonded-from-families', 1],
  ['bonded-from-sats', 10_000_000],
]);

test('weights follow the bonds that the votes vouch for', () => {
  const descriptors = ['a', 'b', 'c'].map((name, index) =>
    testDescriptor(name, index < 2 ? { bond: bondAt(index) } : {}),
  );
  const params = new Map([
    ...FEW_BONDS,
    ['bond-min-sats', 10],
    ['family-cap-percent', 100],
    ['unbonded-percent', 10],
  ]);
  const tally = { ...tallyOf(descriptors, { bonds: [30_000_000, 60_000_000, 9] }), params };
  const consensus = build(tally, descriptors);
  const listed = descriptors.map(({ nodeId }) => consensus.node(nodeId));
  assert.deepEqual(
    listed.map((node) => [node?.weight, node?.flags.has('Bonded')]),
    [
      [30_000_000, true],
      [60_000_000, true],
      [10_000_000, false],
    ],
  );
});

test('nobody is said to have a bond, and all weigh the same, while there are too few bonds', () => {
  const descriptors = ['a', 'b', 'c'].map((name, index) =>
    testDescriptor(name, index < 2 ? { bond: bondAt(index) } : {}),
  );
  const votes = tallyOf(descriptors, { bonds: [330, 9_000_000_000, 0] });
  for (const params of [new Map<string, number>(), new Map([...FEW_BONDS].slice(1))]) {
    const { nodes } = build({ ...votes, params }, descriptors);
    assert.equal(nodes.length, 3);
    assert.equal(new Set(nodes.map(({ weight }) => weight)).size, 1);
    assert.ok(nodes.every(({ flags }) => !flags.has('Bonded')));
  }
});

test('a node that names the bond of another takes nothing from it', () => {
  const [owner, thief] = ['a', 'b'].map((name) => testDescriptor(name, { bond: bondAt(0) }));
  assert.ok(owner && thief);
  const tally = { ...tallyOf([owner, thief], { bonds: [50_000_000, 0] }), params: FEW_BONDS };
  const { nodes } = build(tally, [owner, thief]);
  const bonded = nodes.filter(({ flags }) => flags.has('Bonded'));
  assert.deepEqual(
    bonded.map(({ nodeId }) => nodeId),
    [owner.nodeId],
  );
});

test('a bond that two nodes prove counts for neither', () => {
  const descriptors = ['a', 'b', 'c'].map((name, index) =>
    testDescriptor(name, { bond: bondAt(index === 2 ? 7 : 0) }),
  );
  const bonds = [50_000_000, 50_000_000, 50_000_000];
  const { nodes } = build({ ...tallyOf(descriptors, { bonds }), params: FEW_BONDS }, descriptors);
  const [first, second, third] = descriptors.map(
    ({ nodeId }) => nodes.find((each) => each.nodeId === nodeId)?.weight ?? 0,
  );
  assert.equal(first, second);
  assert.ok((first ?? 0) < (third ?? 0));
  assert.equal(nodes.filter(({ flags }) => flags.has('Bonded')).length, 1);
});

test('parameters that make no sense do not stop the authorities', () => {
  const descriptors = [testDescriptor('a'), testDescriptor('b', { bond: bondAt(0) })];
  const params = new Map([
    ['family-cap-percent', 0],
    ['unbonded-percent', 1000],
    ['bond-min-sats', 0],
    ['bonded-from-sats', 0],
    ['bonded-from-families', 0],
  ]);
  const tally = { ...tallyOf(descriptors, { bonds: [0, 21e14] }), params };
  assert.equal(build(tally, descriptors).nodes.length, 2);
});
