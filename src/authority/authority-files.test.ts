import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
  testContent,
  testPolicy,
} from '../../test/test-directory.ts';
import { testVoteNote } from '../../test/test-votes.ts';
import { utf8 } from '../base/bytes.ts';
import { type ConsensusContent } from '../directory/consensus.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { convict, parseEvidence } from '../directory/equivocation.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../io/temporary-directory.ts';
import { openAuthorityFiles } from './authority-files.ts';

const authorities = testAuthorities(5);
const policy = testPolicy(authorities);
const [one, two] = authorities;
assert.ok(one && two);

const open = ({ path }: TemporaryDirectory) => openAuthorityFiles(join(path, 'state'), policy);
const noteOf = (content: ConsensusContent): Uint8Array =>
  utf8(signedBy(content, authorities.slice(0, 3)));

test('an authority that knows nothing yet says so, in a directory that is its own', async () => {
  await using directory = await makeTemporaryDirectory();
  await using files = await open(directory);
  assert.equal(await files.keptVotes(), undefined);
  assert.equal(await files.signedText(), undefined);
  assert.equal(await files.newestConsensus(), undefined);
  assert.equal((await stat(join(directory.path, 'state'))).mode & 0o777, 0o700);
});

test('votes and the signed text are there after a restart; votes of older epochs are not', async () => {
  await using directory = await makeTemporaryDirectory();
  {
    await using files = await open(directory);
    for (const vote of ['first', 'second']) await files.keepVote(9, vote);
    await files.keepSigned('text of epoch 9');
  }
  {
    await using files = await open(directory);
    assert.deepEqual(await files.keptVotes(), { epoch: 9, notes: ['first', 'second'] });
    assert.equal(await files.signedText(), 'text of epoch 9');
    await files.keepVote(9, 'third');
    await files.keepVote(10, 'of another epoch');
    await files.keepSigned('text of epoch 10');
  }
  await using files = await open(directory);
  assert.deepEqual(await files.keptVotes(), { epoch: 10, notes: ['of another epoch'] });
  assert.equal(await files.signedText(), 'text of epoch 10');
  assert.equal((await readdir(join(directory.path, 'state', 'votes'))).length, 1);
});

test('votes of an older epoch do not take the place of newer ones', async () => {
  await using directory = await makeTemporaryDirectory();
  {
    await using files = await open(directory);
    await files.keepVote(9, 'of a clock that was ahead');
    for (const vote of ['first', 'second']) await files.keepVote(7, vote);
  }
  await using files = await open(directory);
  assert.deepEqual(await files.keptVotes(), { epoch: 9, notes: ['of a clock that was ahead'] });
  await files.keepVote(8, 'third');
  assert.equal((await readdir(join(directory.path, 'state', 'votes'))).length, 2);
});

test('what a crash left half written is no vote, and is removed', async () => {
  await using directory = await makeTemporaryDirectory();
  const votes = join(directory.path, 'state', 'votes');
  await mkdir(votes, { recursive: true });
  await writeFile(join(votes, '0000000000000010-0000.0123456789ab.tmp'), 'half');
  await using files = await open(directory);
  assert.equal(await files.keptVotes(), undefined);
  assert.deepEqual(await readdir(votes), []);
});

test('what cannot be written is said, and leaves what was there', async () => {
  await using directory = await makeTemporaryDirectory();
  await mkdir(join(directory.path, 'state', 'signed', 'in-the-way'), { recursive: true });
  await using files = await open(directory);
  await assert.rejects(files.keepSigned('text'));
  const names = await readdir(join(directory.path, 'state'));
  assert.deepEqual(
    names.filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('the newest 32 consensuses are kept, and the log of all', async () => {
  await using directory = await makeTemporaryDirectory();
  const hashes: Uint8Array[] = [];
  let content = testContent({ log: { origin: 'sotto/test', size: 0, root: new Uint8Array(32) } });
  {
    await using files = await open(directory);
    for (let size = 0; size < 34; size += 1) {
      content = { ...content, log: { origin: 'sotto/test', size, root: new Uint8Array(32) } };
      const consensus = testConsensus(content);
      hashes.push(consensus.hash);
      await files.keepConsensus(noteOf(content));
      content = nextContent(consensus);
    }
  }
  await using files = await open(directory);
  const kept = hashes.map((hash) => files.consensusNote(hash));
  assert.deepEqual(
    kept.map((note) => note !== undefined),
    hashes.map((_, index) => index >= 2),
  );
  assert.deepEqual(kept.at(-1), await files.newestConsensus());
  assert.deepEqual(files.consensusLog.entries, hashes);
});

const bounds = new Map([['mix-ms', 1]]);

test('a pair that convicts is kept once, whatever other signatures are under it', async () => {
  await using directory = await makeTemporaryDirectory();
  await using files = await open(directory);
  const votes = [testVoteNote(one), testVoteNote(one, { params: bounds }, [two])];
  await files.keepEvidence(votes);
  await files.keepEvidence([...votes].reverse());
  await files.keepEvidence([testVoteNote(one, {}, [two]), votes[1] ?? '']);
  assert.equal(files.evidence.names.length, 1);
  const [name = ''] = files.evidence.names;
  const { kind, convicted } = convict(parseEvidence(await files.evidence.read(name)), policy);
  assert.deepEqual([kind, convicted.map((each) => each.name)], ['votes', ['authority-1']]);
});

test('four pairs of an authority are kept, after a restart too, and those of others still are', async () => {
  await using directory = await makeTemporaryDirectory();
  const pair = (author: typeof one, value: number) => [
    testVoteNote(author),
    testVoteNote(author, { params: new Map([['mix-ms', value]]) }),
  ];
  for (let value = 1; value <= 6; value += 1) {
    await using files = await open(directory);
    await files.keepEvidence(pair(one, value));
  }
  await using files = await open(directory);
  assert.equal(files.evidence.names.length, 4);
  await files.keepEvidence(pair(two, 1));
  assert.equal(files.evidence.names.length, 5);
});

test('what convicts nobody is no evidence', async () => {
  await using directory = await makeTemporaryDirectory();
  await using files = await open(directory);
  await assert.rejects(
    files.keepEvidence([testVoteNote(one), testVoteNote(two, { params: bounds })]),
    (error) => error instanceof DirectoryError && error.code === 'no-equivocation',
  );
  assert.deepEqual(files.evidence.names, []);
});
