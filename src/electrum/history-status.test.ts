import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'vitest';
import { compareMempoolItems, historyStatus } from './history-status.ts';

test('a script that was never used has no status', () => {
  assert.equal(historyStatus([]), null);
});

test('the status is the SHA-256 of txid and height of each item in order', () => {
  const items = [
    { txid: 'aa', height: 7 },
    { txid: 'bb', height: -1 },
  ];
  const expected = createHash('sha256').update('aa:7:bb:-1:').digest('hex');
  assert.equal(historyStatus(items), expected);
});

test('mempool items are ordered by falling height, then by txid', () => {
  const items = [
    { txid: 'aa', height: -1 },
    { txid: 'cc', height: 0 },
    { txid: 'bb', height: 0 },
  ];
  assert.deepEqual(
    items.sort(compareMempoolItems).map(({ txid }) => txid),
    ['bb', 'cc', 'aa'],
  );
});
