import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
  testPolicy,
} from '../../test/test-directory.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import type { Consensus } from '../directory/consensus.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openKeptConsensuses } from './kept-consensuses.ts';

const AUTHORITIES = testAuthorities(3);
const chain = [...Array(34).keys()].reduce<readonly Consensus[]>(
  (all) => [...all, testConsensus(nextContent(all.at(-1) ?? testConsensus()))],
  [testConsensus()],
);
const verified = chain.map((consensus) => ({
  consensus,
  note: utf8(signedBy(consensus, AUTHORITIES)),
}));
const [first, second] = verified;
assert.ok(first && second);

const openIn = (directory: string, policy = testPolicy(AUTHORITIES)) =>
  openKeptConsensuses({ directory, policy, log: silent });

test('32 consensuses are kept, the oldest goes first, and a restart finds them again', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await openIn(directory.path);
  assert.deepEqual(kept.newest, []);
  for (const each of verified) await kept.keep([each]);
  const restarted = await openIn(directory.path);
  for (const each of [kept, restarted]) {
    assert.deepEqual(
      each.newest.map(({ epoch }) => epoch),
      [35, 34],
    );
    const held = chain.filter(({ hash }) => each.noteOf(hash) !== undefined);
    assert.deepEqual(
      held.map(({ epoch }) => epoch),
      [...Array(32).keys()].map((index) => index + 4),
    );
  }
  assert.equal(readdirSync(directory.path).length, 32);
});

test('what is kept already is passed over', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await openIn(directory.path);
  await kept.keep([first]);
  await kept.keep([first, second]);
  assert.deepEqual(
    kept.newest.map(({ epoch }) => epoch),
    [2, 1],
  );
});

test('one in between that came without its signatures stays as long as the next one leads back to it', async () => {
  await using directory = await makeTemporaryDirectory();
  const [, , third, fourth] = verified;
  assert.ok(third && fourth);
  const bare = ({ consensus }: typeof first) => ({
    consensus,
    note: utf8(`${consensus.text}\n— nobody AAAAAAAA\n`),
  });
  await (await openIn(directory.path)).keep([first, bare(second), bare(third), fourth]);
  const restarted = await openIn(directory.path);
  assert.equal(readdirSync(directory.path).length, 4);
  const note = restarted.noteOf(second.consensus.hash);
  assert.equal(note && fromUtf8(note), fromUtf8(bare(second).note));
  assert.deepEqual(
    restarted.newest.map(({ epoch }) => epoch),
    [4, 3],
  );
  rmSync(join(directory.path, 'consensus-4'));
  await openIn(directory.path);
  assert.deepEqual(readdirSync(directory.path), ['consensus-1']);
});

test('what is not by the authorities of the policy, or half-written, is removed', async () => {
  await using directory = await makeTemporaryDirectory();
  await (await openIn(directory.path)).keep([first, second]);
  writeFileSync(join(directory.path, 'consensus-1'), 'torn');
  writeFileSync(join(directory.path, 'consensus-7'), second.note);
  writeFileSync(join(directory.path, 'consensus-3.0badcafe.tmp'), '');
  const kept = await openIn(directory.path);
  assert.deepEqual(
    kept.newest.map(({ epoch }) => epoch),
    [2],
  );
  assert.deepEqual(readdirSync(directory.path), ['consensus-2']);
  const others = await openIn(directory.path, testPolicy(testAuthorities(6).slice(3)));
  assert.deepEqual(others.newest, []);
});
