import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { TEST_TIME } from '../../test/test-directory.ts';
import { toHex } from '../base/bytes.ts';
import { encodeHeader } from '../bitcoin/block-header.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { type BondState, checkBond, type CheckBondOptions } from './check-bond.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const { signal } = new AbortController();

/** What the check says of 100,000 satoshis that are locked for so many days, in this file. */
async function checked(days: number, changed = (file: string): string => file): Promise<BondState> {
  await using directory = await makeTemporaryDirectory();
  const made = testBond({ nodeId, locktime: TEST_TIME + days * 86_400 + 3600 });
  const { tip } = made.chain;
  const hexAt = (height: number): string => {
    const { merkleRoot = '', time = 0 } = made.chain.headerAt(height) ?? {};
    const previousHash = '00'.repeat(32);
    return toHex(encodeHeader({ version: 1, previousHash, merkleRoot, time, bits: 0, nonce: 0 }));
  };
  const call = (method: string, { height = tip.height }: { height?: number }): Promise<unknown> =>
    Promise.resolve(
      method === 'blockchain.block.header'
        ? hexAt(height)
        : { height: tip.height, hex: hexAt(tip.height) },
    );
  const client = { call } as CheckBondOptions['client'];
  const path = join(directory.path, 'bond');
  writeFileSync(path, changed(renderBondFile({ nodeId, ...made })));
  return await checkBond(path, { nodeId, client, signal });
}

test('a bond that counts is told with the days that it holds still', async () => {
  assert.deepEqual(await checked(60), { sats: 100_000, daysLeft: 60, endsSoon: false });
});

test('one that ends within thirty days is told as such', async () => {
  assert.deepEqual(await checked(29), { sats: 100_000, daysLeft: 29, endsSoon: true });
});

test('one that does not count is refused as the authorities would', async () => {
  await assert.rejects(checked(1), { name: 'DirectoryError', code: 'bond-not-locked' });
  const more = checked(60, (file) => file.replace(' 100000 ', ' 200000 '));
  await assert.rejects(more, { name: 'DirectoryError', code: 'bond-unproved' });
  const another = checked(60, (file) => file.replace(nodeId, '00'.repeat(16)));
  await assert.rejects(another, { name: 'UserError', message: /is that of node 0000/ });
});
