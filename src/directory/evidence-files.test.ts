import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { signedBy, testAuthorities, testContent, testPolicy } from '../../test/test-directory.ts';
import { testVoteNote } from '../../test/test-votes.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { EvidenceFiles } from './evidence-files.ts';

const authorities = testAuthorities(3);
const policy = testPolicy(authorities);
const [one, two] = authorities;
assert.ok(one && two);
/** Each convicts the first authority. */
const pairs = Array.from({ length: 6 }, (_, epoch) => [
  testVoteNote(one, { epoch: epoch + 1 }),
  testVoteNote(one, { epoch: epoch + 1, nodes: [] }),
]);
const [pair = assert.fail()] = pairs;
const fork = [
  signedBy(testContent(), authorities),
  signedBy(testContent({ nodes: [] }), authorities),
];

test('of one authority four pairs are kept, and a fork beside them', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = await EvidenceFiles.open(directory.path, policy);
  for (const each of pairs) await files.keep(each);
  assert.equal(files.names.length, 4);
  await files.keep(fork);
  await files.keep([testVoteNote(two), testVoteNote(two, { nodes: [] })]);
  const again = await EvidenceFiles.open(directory.path, policy);
  assert.equal(again.names.length, 6);
  assert.ok(again.fork);
});

test('one pair that many bring at one time counts once', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = await EvidenceFiles.open(directory.path, policy);
  await Promise.all(Array.from({ length: 8 }, () => files.keep(pair)));
  for (const each of pairs.slice(0, 4)) await files.keep(each);
  assert.equal(files.names.length, 4);
});

test('what cannot be written counts at once, is shown, and is written when that is possible again', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'evidence');
  const files = await EvidenceFiles.open(path, policy);
  await rm(path, { recursive: true });
  for (let time = 0; time < 6; time++) await assert.rejects(files.keep(fork), { code: 'ENOENT' });
  const found = files.fork;
  assert.ok(found && files.has(found) && files.noteOf(found.digests[0]));
  assert.deepEqual(files.names, []);
  await mkdir(path);
  await files.save();
  assert.equal(files.names.length, 1);
  assert.equal((await EvidenceFiles.open(path, policy)).fork?.epoch, found.epoch);
});
