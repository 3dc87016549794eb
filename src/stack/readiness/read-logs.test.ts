import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readIndexLog, readTrouble } from './read-logs.ts';

test('Fulcrum’s newest line about its index counts', () => {
  const lines = [
    '<Controller> Chain: regtest',
    '<Controller> Block height 12000, downloading new blocks ...',
    '<Controller> Processed height: 1000, 8.3%, 754.3 blocks/sec, 754.3 txs/sec, 754.3 addrs/sec',
    '[2026-11-22 10:57:17.015] <Controller> Processed height: 3000, 25.0%, 848.9 blocks/sec, 848.9 txs/sec, 848.9 addrs/sec',
    'Some other line',
  ];
  assert.deepEqual(readIndexLog(lines), { height: 3000, part: 0.25, waitsForBitcoind: false });
  const after = [...lines, '<Controller> Block height 12000, up-to-date'];
  assert.deepEqual(readIndexLog(after), { height: 12_000, part: 1, waitsForBitcoind: false });
});

test('an index that waits for bitcoind says so', () => {
  const lines = ['<Controller> bitcoind is still downloading headers, will try again in 5 seconds'];
  assert.deepEqual(readIndexLog(lines), { waitsForBitcoind: true });
});

test('electrs tells the blocks that it indexes, and no percentage', () => {
  const line = '[2026-11-22T10:57:17.015Z INFO  electrs::index] indexing 2000 blocks: [4001..6000]';
  assert.deepEqual(readIndexLog([line]), { height: 6000, waitsForBitcoind: false });
});

test('a log without a word of the index tells nothing', () => {
  assert.equal(readIndexLog([]), undefined);
  assert.equal(readIndexLog(['Loading database ...']), undefined);
});

test('what keeps a service from starting is found in its log', () => {
  const corrupt =
    'FATAL: Caught exception: Error opening fulc2_db database: Corruption: CURRENT file does not end with newline (path: /data)';
  const kinds = [
    [corrupt, 'corrupt'],
    ['Error: Disk space is too low!', 'disk-full'],
    ['Error: Incorrect or no genesis block found. Wrong datadir for network?', 'other-network'],
    ['Corrupted block database detected', 'corrupt'],
  ] as const;
  for (const [line, kind] of kinds) {
    assert.deepEqual(readTrouble(['Loading database ...', line, 'Shutdown complete']), {
      kind,
      line,
    });
  }
  assert.equal(readTrouble(['Verifying headers ...', 'up-to-date']), undefined);
});
