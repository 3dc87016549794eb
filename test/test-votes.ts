import type { NodeFlag } from '../src/directory/consensus.ts';
import { signNote, verifierKeyOf } from '../src/directory/note.ts';
import { type Slot, slotOf, USUAL_TIMELINE } from '../src/directory/timeline.ts';
import {
  parseVote,
  renderVote,
  type Vote,
  type VoteContent,
  type VotedNode,
} from '../src/directory/vote.ts';
import { TEST_TIME, type TestAuthority, testDescriptor, testSeed } from './test-directory.ts';

/** The slot whose consensus is valid after `TEST_TIME`. */
export function testSlot(authorities: number): Slot {
  const { periodSeconds } = USUAL_TIMELINE;
  return slotOf(TEST_TIME / periodSeconds, USUAL_TIMELINE, authorities);
}

const digests = new Map(
  ['a', 'b', 'c', 'd'].map((name) => {
    const { nodeId, digest } = testDescriptor(name);
    return [name, { nodeId, digest }] as const;
  }),
);

/** What a vote says of the node with this test descriptor, `a` to `d`. */
export function votedNode(name: string, changes: Partial<VotedNode> = {}): VotedNode {
  const { nodeId, digest } = digests.get(name) ?? { nodeId: '', digest: testSeed(name) };
  const flags = new Set<NodeFlag>(['Relay', 'Gateway', 'Running']);
  return { nodeId, descriptorDigest: digest, bond: 0, flags, ...changes };
}

export function testVoteContent(
  author: TestAuthority,
  changes: Partial<VoteContent> = {},
): VoteContent {
  const { epoch, validAfter, freshUntil, validUntil } = testSlot(5);
  const nodes = ['a', 'b', 'c'].map((name) => votedNode(name));
  return {
    author: verifierKeyOf(author),
    network: 'regtest',
    prev: new Uint8Array(32),
    ...{ epoch, validAfter, freshUntil, validUntil },
    params: new Map([['mix-ms', 500]]),
    log: { origin: 'sotto/regtest', size: 0, root: testSeed('empty log') },
    ...changes,
    nodes: (changes.nodes ?? nodes).toSorted((x, y) => (x.nodeId < y.nodeId ? -1 : 1)),
  };
}

export function testVote(author: TestAuthority, changes: Partial<VoteContent> = {}): Vote {
  return parseVote(renderVote(testVoteContent(author, changes)));
}

/** Signed by its author, and by those besides. */
export function testVoteNote(
  author: TestAuthority,
  changes: Partial<VoteContent> = {},
  cosigners: readonly TestAuthority[] = [],
): string {
  return signNote(renderVote(testVoteContent(author, changes)), author, ...cosigners);
}
