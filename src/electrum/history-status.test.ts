import assert from 'node:assert/strict';
import { test } from 'vitest';
import { scriptOfAddress } from '../bitcoin/address.ts';
import { compareMempoolItems, historyStatus } from './history-status.ts';
import { scriptHashOf } from './script-hash.ts';

/** The example of the Electrum protocol documentation, "Status". */
const ADDRESS = 'bcrt1qn7d2x7272lznt5hhk9s07q3cqnrqljnwladrd3';
const SCRIPT_HASH = 'f04bf26fc16a27abaa2f10540da7a24e369e6ec408f2d901202a7c0cd4a6112d';
const STATUS = '78e96c6562cafa71c115503b9411fdfdc595a45031e2ab76ff75162fe1b0590d';
const CONFIRMED = [
  { txid: 'a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347', height: 2472 },
  { txid: '9c42f84b2fcdaff676ba25d9d4941741cc0d1a01cce0c23fdc4c0b2afa38431c', height: 2473 },
  { txid: '770f2d4371b3fabb902dd9a103e2dd005fcd3971181078fca4a2a1d6ff127b30', height: 2473 },
];
const MEMPOOL = [
  { txid: '80b19848aed792565ab7c5a79b7c2a00fbf985741579396ebe0ab6098e607311', height: 0 },
  { txid: 'e02a1dadfa83b996b24175df807b271ea5d02937ef5b35c195fac1e1bdc3198f', height: 0 },
  { txid: 'bb4c8ab438c13b89ca80d1d5bee25b0b6b7f55673f4d801998ba97db161d9e85', height: -1 },
];

test('the example of the documentation has its script hash and status', () => {
  assert.equal(scriptHashOf(scriptOfAddress(ADDRESS, 'regtest')), SCRIPT_HASH);
  assert.equal(historyStatus([...CONFIRMED, ...MEMPOOL]), STATUS);
});

test('a script that was never used has no status', () => {
  assert.equal(historyStatus([]), null);
});

test('mempool items are ordered by falling height, then by txid', () => {
  assert.deepEqual(MEMPOOL.toReversed().sort(compareMempoolItems), MEMPOOL);
});
