import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readLog } from './read-logs.ts';

test('Fulcrum’s newest line about its index counts', () => {
  const lines = [
    '<Controller> Chain: regtest',
    '<Controller> Block height 12000, downloading new blocks ...',
    '<Controller> Processed height: 1000, 8.3%, 754.3 blocks/sec, 754.3 txs/sec, 754.3 addrs/sec',
    '[2026-11-22 10:57:17.015] <Controller> Processed height: 3000, 25.0%, 848.9 blocks/sec, 848.9 txs/sec, 848.9 addrs/sec',
    'Some other line',
  ];
  assert.deepEqual(readLog(lines), { height: 3000, part: 0.25 });
  const after = [...lines, '<Controller> Block height 12000, up-to-date'];
  assert.deepEqual(readLog(after), { height: 12_000, part: 1 });
});

test('an index that waits for bitcoind says so', () => {
  const line = '<Controller> bitcoind is still downloading headers, will try again in 5 seconds';
  assert.deepEqual(readLog([line]), { waitsForBitcoind: true });
});

test('electrs tells the blocks that it indexes, and no percentage', () => {
  const line = '[2026-11-22T10:57:17.015Z INFO  electrs::index] indexing 2000 blocks: [4001..6000]';
  assert.deepEqual(readLog([line]), { height: 6000 });
});

test('a log that says nothing of it tells nothing', () => {
  assert.deepEqual(readLog([]), {});
  assert.deepEqual(readLog(['Loading database ...']), {});
});

const CORRUPT =
  'FATAL: Caught exception: Error opening fulc2_db database: Corruption: CURRENT file does not end with newline (path: /data)';

test('what keeps a service from starting is found in its log', () => {
  const troubles = [
    [CORRUPT, 'corrupt'],
    ['Error: Disk space is too low!', 'disk-full'],
    ['Error: Incorrect or no genesis block found. Wrong datadir for network?', 'other-network'],
    ['Corrupted block database detected', 'corrupt'],
  ] as const;
  for (const [line, trouble] of troubles) {
    assert.deepEqual(readLog(['Loading database ...', line, 'Shutdown complete']), { trouble });
  }
});

test('trouble from before the last start is over', () => {
  const start = 'Fulcrum 2.1.1 (Release) - Sun Nov 22, 2026 10:52:34.701 UTC - starting up ...';
  assert.deepEqual(readLog([CORRUPT, start, 'Loading database ...']), {});
});
