import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startAuthorities } from '../src/devnet/authorities.ts';
import { acceptConsensus } from '../src/directory/accept-consensus.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { TEST_TIME, testDescriptorNote } from './test-directory.ts';

const { signal } = new AbortController();
const descriptors = ['a', 'b', 'c'].map((name) => testDescriptorNote(name));
const plan = {
  epoch: 1,
  prev: new Uint8Array(32),
  validAfter: TEST_TIME,
  freshUntil: TEST_TIME + 60,
  validUntil: TEST_TIME + 120,
  params: new Map([['mix-ms', 0]]),
};
const now = TEST_TIME * 1000;
const signatures = (note: string): number => note.match(/^— /gm)?.length ?? 0;

test('three authority processes sign, go on as two, keep their keys, and stop as one', async () => {
  await using directory = await makeTemporaryDirectory();
  const options = { count: 3, directory: directory.path, network: 'regtest', signal };
  let policy;
  {
    await using authorities = await startAuthorities(options);
    policy = authorities.policy;
    const note = await authorities.sign(descriptors, plan);
    assert.equal(signatures(note), 3);
    const first = acceptConsensus({ note, policy, now });
    assert.equal(first.nodes.length, 3);

    const [one, two] = authorities.pids;
    assert.ok(one !== undefined && two !== undefined);
    process.kill(one, 'SIGKILL');
    const second = await authorities.sign(descriptors, { ...plan, epoch: 2, prev: first.hash });
    assert.equal(signatures(second), 2);
    assert.equal(acceptConsensus({ note: second, policy, now, previous: first }).epoch, 2);

    process.kill(two, 'SIGKILL');
    await assert.rejects(authorities.failed, /too few authorities are left/);
    const third = authorities.sign(descriptors, { ...plan, epoch: 3 });
    await assert.rejects(third, { name: 'DirectoryError', code: 'too-few-signatures' });
  }
  await using restarted = await startAuthorities(options);
  const note = await restarted.sign(descriptors, { ...plan, epoch: 4 });
  assert.equal(acceptConsensus({ note, policy, now }).epoch, 4);
  const old = restarted.sign(descriptors, plan);
  await assert.rejects(old, { name: 'DirectoryError', code: 'too-few-signatures' });
});
