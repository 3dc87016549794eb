import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../src/base/bytes.ts';
import { silent } from '../src/base/log.ts';
import { parseHeader } from '../src/bitcoin/block-header.ts';
import { networkParams } from '../src/bitcoin/networks.ts';
import { type CachedHistory, openHistoryCache } from '../src/bridge/history-cache.ts';
import { historyStatus } from '../src/electrum/history-status.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import type { VerifiedEntry } from '../src/lookup/lookup.ts';
import { measureSideBySide, type Report, rounded } from './harness.ts';

// What a bridge keeps of a large wallet: how long the first opening after a start takes, and later ones.

const ADDRESSES = 1000;
const TRANSACTIONS_EACH = 5;
/** Blocks of 4,000 transactions. */
const BRANCH_HASHES = 12;
/** What an ordinary payment takes. */
const RAW_BYTES = 222;
const TIP = parseHeader(networkParams('mainnet').genesis);
const { signal } = new AbortController();

export async function bench(): Promise<readonly Report[]> {
  await using temporary = await makeTemporaryDirectory();
  const options = {
    directory: temporary.path,
    key: randomBytes(32),
    headers: { headerAt: () => TIP },
    log: silent,
    signal,
  };
  {
    await using cache = await openHistoryCache(options);
    for (let index = 0; index < ADDRESSES; index += 1) cache.put(someHistory());
    await cache.saved;
  }
  const open = async (): Promise<void> => {
    await using cache = await openHistoryCache(options);
    if (cache.size !== ADDRESSES) throw new Error('a history is missing');
  };
  const before = process.cpuUsage();
  const started = performance.now();
  await open();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  const [later] = await measureSideBySide([{ name: 'later', run: open }]);
  const { size } = await stat(join(temporary.path, 'histories'));
  return [
    {
      title: `Opening the histories of ${ADDRESSES} addresses, ${ADDRESSES * TRANSACTIONS_EACH} transactions, ${rounded(size / 1e6)} MB`,
      rows: [
        { opening: 'the first', 'wall ms': rounded(wallMs), 'cpu ms': (user + system) / 1000 },
        {
          opening: 'later ones',
          'wall ms': rounded((later?.wallUs ?? Number.NaN) / 1000),
          'cpu ms': rounded((later?.cpuUs ?? Number.NaN) / 1000),
        },
      ],
    },
  ];
}

function someHistory(): CachedHistory {
  const entries = Array.from({ length: TRANSACTIONS_EACH }, someEntry);
  return {
    due: Date.now(),
    wantedAt: Date.now(),
    history: {
      scriptHash: toHex(randomBytes(32)),
      status: historyStatus(entries),
      tip: { height: 900_000, hash: TIP.hash },
      entries,
      confirmed: 1n,
      unconfirmed: 0n,
      unspent: [],
      source: { kind: 'gateway', nodeId: '00'.repeat(16), relay: '00'.repeat(16) },
    },
  };
}

function someEntry(): VerifiedEntry {
  return {
    txid: toHex(randomBytes(32)),
    height: 800_000,
    position: 1234,
    proved: true,
    branch: Array.from({ length: BRANCH_HASHES }, () => toHex(randomBytes(32))),
    raw: randomBytes(RAW_BYTES),
    get transaction(): never {
      throw new Error('nothing reads it');
    },
  };
}
