import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities, testSeed } from '../../test/test-directory.ts';
import { testVote, votedNode } from '../../test/test-votes.ts';
import { toHex } from '../base/bytes.ts';
import { countVotes, type Tally } from './count-votes.ts';
import { type Vote, type VoteContent } from './vote.ts';

const five = testAuthorities(5);

/** A vote of each of the first authorities, with these changes. */
function votesWith(...changes: readonly Partial<VoteContent>[]): readonly Vote[] {
  return five.slice(0, changes.length).map((author, index) => testVote(author, changes[index]));
}

function tallyOf(...changes: readonly Partial<VoteContent>[]): Tally {
  const tally = countVotes(votesWith(...changes), 5);
  assert.ok(typeof tally !== 'string');
  return tally;
}

const listing = (...names: string[]) => ({ nodes: names.map((name) => votedNode(name)) });
const idsOf = (...names: string[]) => names.map((name) => votedNode(name).nodeId).sort();
const listed = ({ nodes }: Tally) => nodes.map(({ nodeId }) => nodeId);

test('without votes of more than half of all authorities there is nothing to count', () => {
  assert.equal(countVotes([], 5), 'too-few-votes');
  assert.equal(countVotes(votesWith({}, {}), 5), 'too-few-votes');
  assert.equal(countVotes(votesWith({}, {}), 4), 'too-few-votes');
  assert.notEqual(countVotes(votesWith({}, {}, {}), 5), 'too-few-votes');
});

test('a node is listed when more than half of all authorities list it', () => {
  const votes = [listing('a', 'b'), listing('a', 'b'), listing('a', 'c'), listing('a', 'c')];
  assert.deepEqual(listed(tallyOf(...votes)), idsOf('a'));
  assert.deepEqual(listed(tallyOf(...votes, listing('c'))), idsOf('a', 'c'));
});

test('what two of five say when only three have votes is said by fewer than half', () => {
  const two = { nodes: [votedNode('a'), votedNode('b', { bond: 9 })] };
  const three = { nodes: [votedNode('b', { bond: 1, flags: new Set(['Relay'] as const) })] };
  const { nodes, params } = tallyOf(
    { ...two, params: new Map([['mix-ms', 7]]) },
    { ...two, params: new Map([['mix-ms', 7]]) },
    { ...three, params: new Map() },
  );
  assert.deepEqual(
    nodes.map(({ nodeId, bond, flags }) => [nodeId, bond, [...flags]]),
    [[votedNode('b').nodeId, 1, ['Relay']]],
  );
  assert.equal(params.size, 0);
  assert.equal(countVotes(votesWith({}, {}, { prev: testSeed('one') }), 5), 'no-common-past');
});

test('a node of which votes list different descriptors needs one that more than half list', () => {
  const older = { nodes: [votedNode('a', { descriptorDigest: testSeed('older') })] };
  const newer = listing('a');
  assert.deepEqual(listed(tallyOf(newer, newer, older, older)), []);
  const [node] = tallyOf(newer, newer, newer, older, older).nodes;
  assert.equal(
    toHex(node?.descriptorDigest ?? testSeed('')),
    toHex(votedNode('a').descriptorDigest),
  );
});

test('a bond is the most that more than half vouch for', () => {
  const withBond = (bond: number) => ({ nodes: [votedNode('a', { bond })] });
  const bondOf = (...bonds: number[]) => tallyOf(...bonds.map(withBond)).nodes[0]?.bond;
  assert.equal(bondOf(5, 5, 5), 5);
  assert.equal(bondOf(9, 7, 5, 3, 0), 5);
  assert.equal(bondOf(9, 7, 5, 3), 5);
  assert.equal(bondOf(9, 9, 0, 0), 0);
});

test('a flag is given by more than half', () => {
  const withFlags = (...flags: ('Gateway' | 'Running' | 'Stable')[]) => ({
    nodes: [votedNode('a', { flags: new Set(flags) })],
  });
  const [node] = tallyOf(
    withFlags('Gateway', 'Running', 'Stable'),
    withFlags('Gateway', 'Running'),
    withFlags('Gateway'),
    withFlags('Running', 'Stable'),
  ).nodes;
  assert.deepEqual([...(node?.flags ?? [])], ['Gateway', 'Running']);
});

test('a parameter is the lower median of those that more than half name', () => {
  const withParams = (params: Record<string, number>) => ({
    params: new Map(Object.entries(params)),
  });
  const { params } = tallyOf(
    withParams({ a: 1, b: 1, c: 1 }),
    withParams({ a: 9, b: 2, c: 1 }),
    withParams({ a: 3, b: 9 }),
    withParams({ a: 2 }),
    withParams({}),
  );
  assert.deepEqual(
    [...params],
    [
      ['a', 2],
      ['b', 2],
    ],
  );
});

test('the consensus before and its log are named together by more than half, or there is none', () => {
  const log = { origin: 'sotto/regtest', size: 1, root: testSeed('log') };
  const past = { prev: testSeed('one'), log };
  const tally = tallyOf({}, past, past, past);
  assert.equal(toHex(tally.prev), toHex(past.prev));
  assert.deepEqual(tally.log, log);
  assert.equal(countVotes(votesWith({}, {}, past, past), 5), 'no-common-past');
  const mixed = votesWith(past, past, { prev: past.prev }, { log }, { log });
  assert.equal(countVotes(mixed, 5), 'no-common-past');
});

test('the order of the votes does not matter', () => {
  const votes = votesWith(
    listing('a', 'b'),
    { params: new Map([['x', 1]]) },
    { nodes: [votedNode('a', { bond: 3 }), votedNode('d')] },
    listing('b', 'c', 'd'),
    listing('a', 'd'),
  );
  const expected = countVotes(votes, 5);
  fc.assert(
    fc.property(fc.shuffledSubarray([...votes], { minLength: 5 }), (shuffled) => {
      assert.deepEqual(countVotes(shuffled, 5), expected);
    }),
    { numRuns: 20 },
  );
});

test('what two of five vote is between what the others vote, or nothing', () => {
  const bond = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(fc.tuple(bond, bond, bond), fc.tuple(bond, bond), (honest, liars) => {
      const votes = [...honest, ...liars].map((each) => ({
        nodes: [votedNode('a', { bond: each })],
        params: new Map([['mix-ms', each]]),
      }));
      const { nodes, params } = tallyOf(...votes);
      for (const value of [nodes[0]?.bond ?? -1, params.get('mix-ms') ?? -1]) {
        assert.ok(Math.min(...honest) <= value && value <= Math.max(...honest));
      }
    }),
    { numRuns: 50 },
  );
});

test.each([
  { what: 'nearest to what it was', values: [500, 500, 700, 700], before: 600, now: 600 },
  { what: 'what more than half say at least', values: [700, 800, 900, 500], before: 600, now: 700 },
  { what: 'what more than half say at most', values: [700, 400, 500, 300], before: 600, now: 500 },
  { what: 'what it was, if two lie', values: [1, 1, 500], before: 500, now: 500 },
  { what: 'what it was, if too few name it', values: [1, 1], before: 500, now: 500 },
  { what: 'the lower median, if it is new', values: [1, 2, 3, 4], before: undefined, now: 2 },
  { what: 'not there, if it is new and too few name it', values: [1, 1], now: undefined },
])('with votes missing a parameter is $what', ({ values, before, now }) => {
  const naming = values.map((value) => ({ params: new Map([['mix-ms', value]]) }));
  const silent = Array.from({ length: Math.max(3 - naming.length, 0) }, () => ({
    params: new Map(),
  }));
  const votes = votesWith(...naming, ...silent);
  const tally = countVotes(votes, 5, new Map(before === undefined ? [] : [['mix-ms', before]]));
  assert.ok(typeof tally !== 'string');
  assert.equal(tally.params.get('mix-ms'), now);
});

test('a parameter that more than half do not name is not there any more', () => {
  const none = { params: new Map() };
  const votes = votesWith({}, {}, none, none, none);
  const tally = countVotes(votes, 5, new Map([['mix-ms', 500]]));
  assert.ok(typeof tally !== 'string');
  assert.equal(tally.params.size, 0);
});

test('two of five cannot move a parameter that the others leave as it is, whichever votes are there', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 2, maxLength: 2 }),
      fc.integer({ min: 1, max: 3 }),
      (lies, there) => {
        const values = [...lies, ...Array.from({ length: there }, () => 500)];
        const votes = votesWith(
          ...values.map((value) => ({ params: new Map([['mix-ms', value]]) })),
        );
        const tally = countVotes(votes, 5, new Map([['mix-ms', 500]]));
        assert.ok(typeof tally !== 'string');
        assert.equal(tally.params.get('mix-ms'), 500);
      },
    ),
  );
});
