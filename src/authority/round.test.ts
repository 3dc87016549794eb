import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'vitest';
import { forgeVote, showingVotes } from '../../test/lying-authority.ts';
import {
  type Answer,
  SimulatedAuthorities,
  type SimulatedAuthority,
} from '../../test/simulated-authorities.ts';
import { testDescriptorNote, testSeed } from '../../test/test-directory.ts';
import { equalBytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type NodeFlag } from '../directory/consensus.ts';
import { MAX_WEIGHT } from '../directory/limits.ts';
import { DIRECTORY_KINDS, epochDigest } from '../directory/directory-view.ts';
import { digestOfText, signatureLinesOf, textOfNote } from '../directory/note.ts';
import { type Ballot } from './round-parts.ts';

type Five = readonly [
  ...[SimulatedAuthority, SimulatedAuthority, SimulatedAuthority],
  ...[SimulatedAuthority, SimulatedAuthority],
];

const fiveOf = ({ all }: SimulatedAuthorities): Five => all as unknown as Five;

async function start(authorities: readonly SimulatedAuthority[]): Promise<void> {
  for (const authority of authorities) await authority.start();
}

/** That they all have the consensus of the slot, the same one, and signed no other for its epoch. */
function assertPublished(authorities: readonly SimulatedAuthority[], epoch: number): void {
  const [first] = authorities;
  assert.ok(first?.newest !== undefined);
  const hash = toHex(first.newest.hash);
  for (const { name, newest, signatures, premature } of authorities) {
    assert.deepEqual(premature, [], name);
    assert.equal(newest?.epoch, epoch, name);
    assert.equal(toHex(newest.hash), hash, name);
    assert.deepEqual([...(signatures.get(epoch) ?? [])], [hash], name);
  }
}

test('five authorities publish one consensus after the other, all the same', async () => {
  const network = new SimulatedAuthorities(5);
  await start(network.all);
  const hashes = [];
  for (const index of [0, 1]) {
    await network.runThrough(index);
    assertPublished(network.all, network.slot(index).epoch);
    hashes.push(toHex(network.all[0]?.newest?.hash ?? new Uint8Array()));
  }
  const [newest] = network.all.map((each) => each.newest);
  assert.equal(newest?.nodes.length, 4);
  assert.equal(toHex(newest.prev), hashes[0]);
});

test('one authority alone publishes', async () => {
  const network = new SimulatedAuthorities(1);
  await start(network.all);
  await network.runThrough(0);
  assert.equal(network.all[0]?.newest?.epoch, network.slot(0).epoch);
});

test('nothing is shown as the newest before its time', async () => {
  const network = new SimulatedAuthorities(3);
  await start(network.all);
  await network.time.runUntil(network.slot(0).publishesMs - 1);
  assert.deepEqual(
    network.all.map(({ newest }) => newest),
    [undefined, undefined, undefined],
  );
  await network.time.runUntil(network.slot(0).publishesMs + 3000);
  assertPublished(network.all, network.slot(0).epoch);
});

test('with two of five down it goes on, and they catch up when they return', async () => {
  const network = new SimulatedAuthorities(5);
  const [, , , fourth, fifth] = fiveOf(network);
  await start(network.all.slice(0, 3));
  await network.runThrough(0);
  assertPublished(network.all.slice(0, 3), network.slot(0).epoch);
  await start([fourth, fifth]);
  await network.runThrough(1);
  assertPublished(network.all, network.slot(1).epoch);
});

test('with three of five down nothing is signed, and the chain goes on when one returns', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, , third, fourth, fifth] = fiveOf(network);
  await start(network.all);
  await network.runThrough(0);
  const before = toHex(first.newest?.hash ?? new Uint8Array());
  for (const each of [third, fourth, fifth]) each.kill();
  await network.runThrough(1);
  assert.equal(first.newest?.epoch, network.slot(0).epoch);
  assert.equal(first.signatures.get(network.slot(1).epoch), undefined);
  await third.start();
  await network.runThrough(2);
  assertPublished(network.all.slice(0, 3), network.slot(2).epoch);
  assert.equal(toHex(first.newest.prev), before);
});

test('an authority that died before it signed does not complete a quorum when it is too late', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third] = fiveOf(network);
  await start([first, second, third]);
  const slot = network.slot(0);
  await network.time.runUntil(slot.signsMs - 1);
  third.kill();
  await network.time.runUntil(slot.endsMs + 1);
  await third.start();
  await network.time.runUntil(network.slot(1).opensMs - 1);
  assert.deepEqual(
    [first, second, third].map(({ newest }) => newest),
    [undefined, undefined, undefined],
  );
  await network.runThrough(1);
  assertPublished([first, second, third], network.slot(1).epoch);
});

test('who signed what has no quorum shows it until the slot ends, and not afterwards', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third] = fiveOf(network);
  await start([first, second, third]);
  const slot = network.slot(0);
  await network.time.runUntil(slot.signsMs + 1000);
  third.kill();
  const shown = (each: SimulatedAuthority): boolean =>
    each.document(DIRECTORY_KINDS.signature, epochDigest(slot.epoch)) !== undefined;
  await network.time.runUntil(slot.endsMs - 1);
  assert.deepEqual([first, second].map(shown), [true, true]);
  await network.time.runUntil(slot.endsMs);
  assert.deepEqual([first, second].map(shown), [false, false]);
});

test('one that is back within the slot completes the quorum', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third] = fiveOf(network);
  await start([first, second, third]);
  await network.time.runUntil(network.slot(0).signsMs - 1);
  third.kill();
  await network.time.runUntil(network.slot(0).publishesMs + 60_000);
  await third.start();
  await network.runThrough(0);
  assertPublished([first, second, third], network.slot(0).epoch);
});

test('a vote that comes so late that not all would have it in time is not cast', async () => {
  const network = new SimulatedAuthorities(5);
  const [first] = fiveOf(network);
  const { votesMs, roundEndsMs, epoch } = network.slot(0);
  const [endMs = 0] = roundEndsMs;
  first.castBallot = async (slot, previous) => {
    await network.time.sleepUntil((votesMs + endMs) / 2 + 1, new AbortController().signal);
    return first.usualBallot(slot, previous);
  };
  await start(network.all);
  await network.runThrough(0);
  assertPublished(network.all, epoch);
  assert.equal(first.votes.get(epoch), undefined);
});

test('an authority that cannot make up its mind counts and signs with the others', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third, fourth] = fiveOf(network);
  first.castBallot = () => new Promise(() => undefined);
  second.castBallot = () => Promise.reject(new Error('no opinion'));
  await start(network.all);
  await network.runThrough(0);
  assertPublished(network.all, network.slot(0).epoch);
  assert.equal(first.votes.size + second.votes.size, 0);
  assert.equal(third.votes.size + fourth.votes.size, 2);
});

const noise: Answer = () => randomBytes(200);

test('an authority that answers noise changes nothing', async () => {
  const network = new SimulatedAuthorities(5);
  const [, , , , fifth] = fiveOf(network);
  fifth.answer = noise;
  await start(network.all.slice(0, 4));
  await network.runThrough(0);
  assertPublished(network.all.slice(0, 4), network.slot(0).epoch);
});

test('two authorities that vote nonsense change nothing in what the others agree on', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third, fourth, fifth] = fiveOf(network);
  const nodes = [
    {
      nodeId: 'f'.repeat(32),
      descriptorDigest: testSeed('no descriptor'),
      bond: MAX_WEIGHT,
      flags: new Set(['Gateway', 'Stable'] as const),
    },
  ];
  const params = new Map([
    ['mix-ms', 1],
    ['evil', 1],
  ]);
  const log = { origin: 'sotto/evil', size: 7, root: testSeed('evil') };
  const prev = testSeed('another past');
  const changes = { nodes, params, log, prev };
  const votes = [fourth, fifth].map((each) => forgeVote(each, { slot: network.slot(0), changes }));
  fourth.answer = showingVotes(() => votes);
  fifth.answer = showingVotes(() => votes);
  await start([first, second, third]);
  await network.runThrough(0);
  assertPublished([first, second, third], network.slot(0).epoch);
  assert.equal(first.newest?.nodes.length, 4);
  assert.deepEqual([...first.newest.params], [['mix-ms', 500]]);
});

/** Two of five that lie, by what they vote, while nobody hears the first two of the others. */
async function lyingWhileOthersAreFlooded(
  network: SimulatedAuthorities,
  ballotOf: (usual: Ballot) => Partial<Ballot>,
): Promise<readonly SimulatedAuthority[]> {
  const [first, second, third, ...liars] = fiveOf(network);
  for (const flooded of [first, second]) {
    flooded.respond = () => Promise.reject(new Error('flooded'));
  }
  for (const liar of liars) {
    liar.castBallot = (slot, previous) => {
      const usual = liar.usualBallot(slot, previous);
      return Promise.resolve({ ...usual, ...ballotOf(usual) });
    };
  }
  await start(network.all);
  await network.runThrough(0);
  return [first, second, third];
}

test('two of five add nothing to the list while the votes of two others are kept away', async () => {
  const network = new SimulatedAuthorities(5);
  const honest = await lyingWhileOthersAreFlooded(network, ({ nodes, params }) => {
    const [some, ...others] = nodes;
    assert.ok(some !== undefined);
    const evil = { ...some, nodeId: '0'.repeat(32), bond: MAX_WEIGHT };
    return { nodes: [evil, some, ...others], params: new Map([...params, ['evil', 1]]) };
  });
  for (const { newest } of honest) {
    assert.equal(newest?.epoch, network.slot(0).epoch);
    assert.equal(newest.nodes.length, 4);
    assert.ok(newest.nodes.every(({ flags }) => !flags.has('Bonded')));
    assert.deepEqual([...newest.params.keys()], ['mix-ms']);
  }
});

test.each<[string, (usual: Ballot) => Partial<Ballot>]>([
  ['nodes out', ({ nodes }) => ({ nodes: nodes.slice(0, 1) })],
  [
    'the flags of nodes out',
    ({ nodes }) => ({
      nodes: nodes.map((node, index) => ({
        ...node,
        flags: new Set<NodeFlag>(index < 1 ? node.flags : ['Relay', 'Gateway']),
      })),
    }),
  ],
])(
  'two of five that leave %s while the votes of two others are kept away find nobody who signs it',
  async (_what, ballotOf) => {
    const network = new SimulatedAuthorities(5);
    const { epoch } = network.slot(0);
    for (const { newest, signatures } of await lyingWhileOthersAreFlooded(network, ballotOf)) {
      assert.equal(newest, undefined);
      assert.equal(signatures.get(epoch), undefined);
    }
  },
);

test('who votes twice has no vote, and everyone keeps the proof', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, , , fourth, fifth] = fiveOf(network);
  const slot = network.slot(0);
  const one = forgeVote(fifth, { slot });
  const other = forgeVote(fifth, { slot, changes: { params: new Map([['mix-ms', 7]]) } });
  fifth.answer = showingVotes((asker) => (asker === first.name ? [one] : [other]));
  await start(network.all.slice(0, 4));
  await network.runThrough(0);
  assertPublished([first, fourth], network.slot(0).epoch);
  for (const { store } of network.all.slice(0, 4)) assert.equal(store.evidence[0]?.length, 2);
});

/**
 * Two of three list a fifth node, which is not enough; with the vote of a liar, who lists it too, it is.
 * So it is listed exactly if that vote counts.
 */
function divide(network: SimulatedAuthorities): void {
  const [first, second, , , liar] = fiveOf(network);
  for (const each of [first, second, liar]) each.addDescriptor(testDescriptorNote('e'));
}

test.each([
  { round: 'first', cosigners: 0, nodes: 5 },
  { round: 'second', cosigners: 1, nodes: 5 },
  { round: 'last', cosigners: 1, nodes: 4 },
])(
  'a vote shown to one authority at the end of the $round round counts for all or for none',
  async ({ round, cosigners, nodes }) => {
    const network = new SimulatedAuthorities(5);
    const [first, second, third, fourth, fifth] = fiveOf(network);
    divide(network);
    const slot = network.slot(0);
    const vote = forgeVote(fifth, { slot, cosigners: [fourth.key].slice(0, cosigners) });
    const roundEndMs = slot.roundEndsMs[['first', 'second', 'last'].indexOf(round)] ?? 0;
    const isLast = (): boolean => network.time.nowMs > roundEndMs - 21_000;
    fifth.answer = showingVotes((asker) => (asker === first.name && isLast() ? [vote] : []));
    await start([first, second, third]);
    await network.runThrough(0);
    assertPublished([first, second, third], slot.epoch);
    assert.equal(first.newest?.nodes.length, nodes);
  },
);

test('a second vote shown to one authority at the end of the second round takes the first one away', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third, fourth, fifth] = fiveOf(network);
  divide(network);
  const slot = network.slot(0);
  const usual = forgeVote(fifth, { slot });
  const changes = { params: new Map([['mix-ms', 7]]) };
  const late = forgeVote(fifth, { slot, changes, cosigners: [fourth.key] });
  const secondEndMs = slot.roundEndsMs[1] ?? 0;
  const isLast = (): boolean => network.time.nowMs > secondEndMs - 21_000;
  fifth.answer = showingVotes((asker) =>
    asker === first.name && isLast() ? [usual, late] : [usual],
  );
  await start([first, second, third]);
  await network.runThrough(0);
  assertPublished([first, second, third], slot.epoch);
  assert.equal(first.newest?.nodes.length, 4);
  assert.equal(third.store.evidence.length, 1);
});

test('a peer that says it has more signatures than it has is asked for that once', async () => {
  const network = new SimulatedAuthorities(5);
  const [, , , fourth, fifth] = fiveOf(network);
  const slot = network.slot(0);
  const single = forgeVote(fifth, { slot });
  const cosigners = [fourth.key];
  const isSecond = (): boolean => network.time.nowMs > (slot.roundEndsMs[0] ?? 0);
  const two = forgeVote(fifth, { slot, cosigners });
  const promised = showingVotes(() => (isSecond() ? [two] : []));
  const given = showingVotes(() => [single]);
  let asked = 0;
  fifth.answer = (kind, digest, asker) => {
    if (kind === DIRECTORY_KINDS.voteIndex) return promised(kind, digest, asker);
    if (kind === DIRECTORY_KINDS.vote) asked += 1;
    return given(kind, digest, asker);
  };
  await start(network.all.slice(0, 4));
  await network.runThrough(0);
  assertPublished(network.all.slice(0, 4), slot.epoch);
  assert.equal(asked, 4);
});

test('nobody signs what follows an older consensus than it knows of', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, ...others] = fiveOf(network);
  await start(network.all);
  await network.runThrough(0);
  await network.runThrough(1);
  for (const each of others) {
    each.kill();
    each.store.consensuses.pop();
    await each.start();
  }
  // It keeps the consensus of the second slot to itself.
  first.answer = (kind, digest) =>
    kind > DIRECTORY_KINDS.descriptor
      ? (first.document(kind, digest) ?? new Uint8Array())
      : new Uint8Array();
  const { epoch, endsMs } = network.slot(2);
  await network.time.runUntil(endsMs - 1);
  assertPublished(others, epoch);
  assert.equal(first.parts.shown.noteOf(DIRECTORY_KINDS.signature, epochDigest(epoch)), undefined);
  await network.time.runUntil(network.slot(3).opensMs);
  assert.equal(first.newest?.epoch, epoch);
});

test('votes of the slot before are not taken again', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, , , fourth, fifth] = fiveOf(network);
  await start(network.all);
  await network.runThrough(0);
  const kept = await fifth.store.keptVotes();
  fifth.kill();
  fifth.answer = showingVotes(() => kept?.notes ?? []);
  await network.runThrough(1);
  assertPublished(network.all.slice(0, 4), network.slot(1).epoch);
  for (const each of [first, fourth]) {
    const votes = await each.store.keptVotes();
    assert.equal(votes?.epoch, network.slot(1).epoch);
    assert.equal(votes.notes.length, 4);
  }
});

test('a signature of the slot before is of no use', async () => {
  const network = new SimulatedAuthorities(3);
  const [first, second, third] = network.all as unknown as Five;
  await start(network.all);
  await network.time.runUntil(network.slot(0).signsMs + 60_000);
  const old = third.document(DIRECTORY_KINDS.signature, epochDigest(network.slot(0).epoch));
  assert.ok(old !== undefined);
  await network.runThrough(0);
  third.kill();
  third.answer = (kind) => (kind === DIRECTORY_KINDS.signature ? old : new Uint8Array());
  second.kill();
  await network.runThrough(1);
  assert.equal(first.newest?.epoch, network.slot(0).epoch);
});

test('an old signature of an authority that another passes off does not displace its new one', async () => {
  const network = new SimulatedAuthorities(3);
  const [first, second, third] = network.all as unknown as Five;
  await start(network.all);
  await network.runThrough(0);
  const zeros = new Uint8Array(32);
  const old = fromUtf8(first.document(DIRECTORY_KINDS.latestConsensus, zeros) ?? zeros);
  const hash = digestOfText(textOfNote(old));
  third.kill();
  third.answer = (kind, digest, asker) => {
    const victim = asker === first.name ? second : first;
    if (kind === DIRECTORY_KINDS.signature) {
      const line = signatureLinesOf(old).find((each) => each.includes(victim.key.name)) ?? '';
      return utf8(`sotto-signature/1\nconsensus ${toHex(hash)}\n${line}\n`);
    }
    const isText = kind === DIRECTORY_KINDS.consensus && equalBytes(digest, hash);
    return isText ? utf8(old) : new Uint8Array();
  };
  // The liar's answer comes when the text is there, and before the others are asked again.
  network.passage = (from, to) => ([from, to].includes(third.name) ? 5000 : 200);
  await network.runThrough(1);
  assertPublished([first, second], network.slot(1).epoch);
});

test.each([
  ['ahead', 300_000],
  ['behind', -300_000],
])('an authority whose clock is five minutes %s does no harm', async (_way, offset) => {
  const network = new SimulatedAuthorities(5);
  const [, , , , fifth] = fiveOf(network);
  fifth.clockOffsetMs = offset;
  await start(network.all);
  for (const index of [0, 1]) {
    await network.runThrough(index);
    await network.time.runUntil(network.slot(index).endsMs + 700_000);
    assertPublished(network.all.slice(0, 4), network.slot(index).epoch);
    assert.equal(fifth.newest?.epoch, network.slot(index).epoch);
    assert.ok((fifth.signatures.get(network.slot(index).epoch)?.size ?? 0) <= 1);
  }
});

test('messages that take long or are lost delay nothing but themselves', async () => {
  const network = new SimulatedAuthorities(5);
  let count = 0;
  network.passage = () => {
    count += 1;
    return count % 9 === 0 ? 'lost' : (count * 7919) % 10_000;
  };
  await start(network.all);
  await network.runThrough(0);
  assertPublished(network.all, network.slot(0).epoch);
});

test('descriptors that an authority lacks come from those that list them', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second, third] = fiveOf(network);
  for (const each of [first, second, third]) each.addDescriptor(testDescriptorNote('e'));
  await start(network.all);
  await network.runThrough(0);
  assertPublished(network.all, network.slot(0).epoch);
  assert.equal(first.newest?.nodes.length, 5);
});

test('a descriptor that is too fresh for all to have waits for the next slot', async () => {
  const network = new SimulatedAuthorities(5);
  const [first] = fiveOf(network);
  const published = network.slot(0).publishedUntil + 1;
  for (const each of network.all) each.addDescriptor(testDescriptorNote('e', { published }));
  await start(network.all);
  await network.runThrough(0);
  assert.equal(first.newest?.nodes.length, 4);
  await network.runThrough(1);
  assert.equal(first.newest.nodes.length, 5);
});
