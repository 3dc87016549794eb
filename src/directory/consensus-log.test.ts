import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { testConsensus, testSeed } from '../../test/test-directory.ts';
import { type Consensus } from './consensus.ts';
import { leafHash, logRoot } from './merkle-log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openConsensusLog } from './consensus-log.ts';

const all = Array.from({ length: 9 }, (_, index) => testSeed(`entry ${index}`));
const lies = (from: number, to: number): Promise<readonly Uint8Array[]> =>
  Promise.resolve(all.slice(from, to).map(() => testSeed('a lie')));
const fails = (): Promise<never> => Promise.reject(new Error('out of reach'));

/** One whose log has the first entries. */
function consensusAfter(size: number): Consensus {
  const root = logRoot(all.slice(0, size).map(leafHash));
  return testConsensus({ log: { origin: 'sotto/test', size, root } });
}

test('the log of the first consensus has it alone, and what is recorded stays', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  const first = consensusAfter(0);
  {
    await using log = await openConsensusLog(path);
    const head = await log.headAfter(first, []);
    assert.deepEqual(head, {
      origin: 'sotto/test',
      size: 1,
      root: logRoot([leafHash(first.hash)]),
    });
  }
  await appendFile(path, Buffer.alloc(31));
  await using again = await openConsensusLog(path);
  assert.deepEqual(again.entries, [first.hash]);
});

test('entries that were missed are fetched, wrong ones replaced, and no others believed', async () => {
  await using directory = await makeTemporaryDirectory();
  await using log = await openConsensusLog(join(directory.path, 'log'));
  for (const index of [0, 1, 2]) await log.record(index, all[index] ?? new Uint8Array());
  await log.record(7, testSeed('beyond a gap'));
  assert.equal(log.entries.length, 3);

  const asked: (readonly number[])[] = [];
  const fetch = (from: number, to: number) => {
    asked.push([from, to]);
    return Promise.resolve(all.slice(from, to));
  };
  const after = consensusAfter(6);
  const head = await log.headAfter(after, [fails, lies, fetch]);
  assert.deepEqual(asked, [[3, 6]]);
  assert.deepEqual(log.entries, [...all.slice(0, 6), after.hash]);
  assert.deepEqual(head.root, logRoot([...all.slice(0, 6), after.hash].map(leafHash)));

  await log.record(1, testSeed('another past'));
  await log.headAfter(after, [fails, lies, fetch]);
  assert.deepEqual(asked.slice(1), [
    [2, 6],
    [0, 6],
  ]);

  const before = [...log.entries];
  await assert.rejects(log.headAfter(consensusAfter(8), [fails, lies]), /nobody has the log/);
  assert.deepEqual(log.entries, before);
});
