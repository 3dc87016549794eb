import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities } from '../../test/test-directory.ts';
import { testSlot, testVote, testVoteContent, votedNode } from '../../test/test-votes.ts';
import { type NodeFlag } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_NODES, MAX_VOTE_BYTES, MAX_WEIGHT } from './limits.ts';
import { checkInSlot } from './timeline.ts';
import { parseVote, renderVote } from './vote.ts';

const [author, other] = testAuthorities(2) as [
  ReturnType<typeof testAuthorities>[number],
  ReturnType<typeof testAuthorities>[number],
];
const vote = testVote(author);

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof DirectoryError);
    return error.code;
  }
  return 'none';
};

const nodes = fc.uniqueArray(
  fc.record(
    {
      nodeId: fc.stringMatching(/^[0-9a-f]{32}$/),
      descriptorDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      bond: fc.integer({ min: 0, max: MAX_WEIGHT }),
      flags: fc
        .subarray<NodeFlag>(['Relay', 'Gateway', 'Running', 'Stable'], { minLength: 1 })
        .map((flags) => new Set(flags)),
    },
    { noNullPrototype: true },
  ),
  { selector: ({ nodeId }) => nodeId, maxLength: 5 },
);

test('any vote comes back as it was', () => {
  fc.assert(
    fc.property(nodes, fc.nat(), (listed, size) => {
      const log = { ...vote.log, size };
      const content = testVoteContent(author, { nodes: listed, log });
      const text = renderVote(content);
      const { digest } = parseVote(text);
      assert.deepEqual(parseVote(text), { ...content, text, digest });
    }),
  );
});

test('whatever is changed in a vote, it is another vote or refused with a code', () => {
  const { text } = vote;
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('', '\n', ' ', '0', 'z'), (at, put) => {
      const changed = text.slice(0, at) + put + text.slice(at + 1);
      try {
        assert.equal(renderVote(parseVote(changed)), changed);
      } catch (error) {
        assert.ok(error instanceof DirectoryError);
      }
    }),
  );
});

const last = vote.text.match(/^node .*\n/gm)?.at(-1) ?? '';

test.each([
  ['another header', 'malformed', (text: string) => text.replace('vote/1', 'vote/2')],
  ['no end', 'malformed', (text: string) => text.slice(0, -1)],
  ['no authority', 'malformed', (text: string) => text.replace(/^authority .*\n/m, '')],
  ['no log', 'malformed', (text: string) => text.replace(/^log .*\n/m, '')],
  ['a node without flags', 'malformed', (text: string) => text.replace(/ Relay,.*/, ' ')],
  ['a bond among the flags', 'malformed', (t: string) => t.replace('Running', 'Running,Bonded')],
  ['flags out of order', 'malformed', (t: string) => t.replace('Relay,Gateway', 'Gateway,Relay')],
  [
    'a bond above all there is',
    'malformed',
    (t: string) => t.replace(' 0 ', ` ${MAX_WEIGHT + 1} `),
  ],
  ['a node twice', 'duplicate-node', (text: string) => text.replace(last, last + last)],
  [
    'a node out of order',
    'malformed',
    (t: string) => t.replace(last, '').replace('node', `${last}node`),
  ],
  ['too many bytes', 'too-large', (text: string) => text.padEnd(MAX_VOTE_BYTES + 1, '\n')],
])('a vote with %s is refused', (_what, code, change) => {
  assert.notEqual(change(vote.text), vote.text);
  assert.equal(
    codeOf(() => parseVote(change(vote.text))),
    code,
  );
});

test('as many nodes as a consensus can hold, with the longest lines, fit into a vote', () => {
  const flags = new Set<NodeFlag>(['Relay', 'Gateway', 'Running', 'Stable']);
  const many = Array.from({ length: MAX_NODES }, (_, index) =>
    votedNode('a', { nodeId: `f${String(index).padStart(31, '0')}`, bond: MAX_WEIGHT, flags }),
  );
  assert.equal(testVote(author, { nodes: many }).nodes.length, MAX_NODES);
});

test('a vote fits its own slot and network only', () => {
  const slot = testSlot(5);
  checkInSlot(vote, 'regtest', slot);
  assert.equal(
    codeOf(() => {
      checkInSlot(vote, 'mainnet', slot);
    }),
    'wrong-network',
  );
  const { validAfter, freshUntil, validUntil, epoch } = slot;
  for (const changes of [
    { epoch: epoch + 1 },
    { validAfter: validAfter + 1 },
    { freshUntil: freshUntil - 1 },
    { validUntil: validUntil - 1 },
  ]) {
    assert.equal(
      codeOf(() => {
        checkInSlot(testVote(other, changes), 'regtest', slot);
      }),
      'wrong-slot',
    );
  }
});
