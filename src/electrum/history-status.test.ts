import assert from 'node:assert/strict';
import { test } from 'vitest';
import { compareMempoolItems, historyStatus } from './history-status.ts';

test('a script that was never used has no status', () => {
  assert.equal(historyStatus([]), null);
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
