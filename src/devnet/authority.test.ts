import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  TEST_TIME,
  testAuthorities,
  testDescriptorNote,
  testKeyConfig,
  testPolicy,
} from '../../test/test-directory.ts';
import { verifyConsensus } from '../directory/accept-consensus.ts';
import { type Consensus, parseConsensus } from '../directory/consensus.ts';
import { textOfNote } from '../directory/note.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { type EpochPlan, openAuthority } from './authority.ts';
import { combineNotes } from '../directory/combine-notes.ts';

const signers = testAuthorities(3);
const policy = testPolicy(signers);
const descriptors = ['a', 'b'].map((name) => testDescriptorNote(name));
const plan: EpochPlan = {
  epoch: 1,
  prev: new Uint8Array(32),
  validAfter: TEST_TIME,
  freshUntil: TEST_TIME + 60,
  validUntil: TEST_TIME + 120,
  params: new Map([['mix-ms', 0]]),
};

const [signer] = signers;
if (signer === undefined) throw new Error('there are three signers');
const authorityIn = (directory: string) =>
  openAuthority({ signer, network: 'regtest', recordFile: join(directory, 'signed') });
const listed = (note: string): Consensus => parseConsensus(textOfNote(note));

test('three authorities build the same text from the same descriptors in any order', async () => {
  const notes = await Promise.all(
    signers.map(async (each, index) => {
      await using directory = await makeTemporaryDirectory();
      const recordFile = join(directory.path, 'signed');
      const authority = openAuthority({ signer: each, network: 'regtest', recordFile });
      return await authority.sign(index === 1 ? descriptors.toReversed() : descriptors, plan);
    }),
  );
  const note = combineNotes(notes, policy) ?? '';
  assert.equal(verifyConsensus(note, policy).nodes.length, 2);
  assert.equal(note.match(/^— /gm)?.length, 3);
});

test('an authority signs one text for an epoch, after a restart too', async () => {
  await using directory = await makeTemporaryDirectory();
  const first = await authorityIn(directory.path).sign(descriptors, plan);
  const again = await authorityIn(directory.path).sign(descriptors.slice(1), plan);
  assert.equal(again, first);
  const next = await authorityIn(directory.path).sign(descriptors.slice(1), { ...plan, epoch: 2 });
  assert.equal(listed(next).nodes.length, 1);
  await assert.rejects(authorityIn(directory.path).sign(descriptors, plan), {
    code: 'rolled-back',
  });
});

test('descriptors that do not verify, are not valid yet or have expired are left out', async () => {
  await using directory = await makeTemporaryDirectory();
  const [good = '', other = ''] = descriptors;
  const early = testDescriptorNote('c', { published: TEST_TIME + 1 });
  const late = testDescriptorNote('d', { expires: TEST_TIME });
  const forged = other.replace('cells/s=200', 'cells/s=999');
  const notes = [good, forged, 'noise', early, late];
  const consensus = listed(await authorityIn(directory.path).sign(notes, plan));
  assert.equal(consensus.nodes.length, 1);
});

test('of two descriptors of a node the newer counts', async () => {
  await using directory = await makeTemporaryDirectory();
  const newer = testDescriptorNote('a', { published: TEST_TIME - 1, port: 50_011 });
  const consensus = listed(await authorityIn(directory.path).sign([newer, ...descriptors], plan));
  assert.ok(consensus.nodes.some(({ onion }) => onion.port === 50_011));
  assert.equal(consensus.nodes.length, 2);
});

test('a node that swaps a key it announced is left out of the next consensus', async () => {
  await using directory = await makeTemporaryDirectory();
  const authority = authorityIn(directory.path);
  await authority.sign(descriptors, plan);
  const swapped = testDescriptorNote('a', {
    published: TEST_TIME,
    keyConfigs: [
      { epoch: 20_788, keyConfig: testKeyConfig('swapped', 20_788) },
      { epoch: 20_789, keyConfig: testKeyConfig('swapped', 20_789) },
    ],
  });
  const next = { ...plan, epoch: 2, weights: new Map() };
  const consensus = listed(await authority.sign([swapped, ...descriptors.slice(1)], next));
  assert.equal(consensus.nodes.length, 1);
});

test('signatures of different texts are not put together', async () => {
  await using one = await makeTemporaryDirectory();
  await using two = await makeTemporaryDirectory();
  const [, second] = signers;
  assert.ok(second !== undefined);
  const recordFile = join(two.path, 'signed');
  const other = openAuthority({ signer: second, network: 'regtest', recordFile });
  const notes = [
    await authorityIn(one.path).sign(descriptors, plan),
    await other.sign(descriptors.slice(1), plan),
  ];
  assert.equal(combineNotes(notes, policy), undefined);
  assert.equal(combineNotes([notes[0] ?? '', notes[0] ?? '', 'noise'], policy), undefined);
});
