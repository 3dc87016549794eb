import assert from 'node:assert/strict';
import { test } from 'vitest';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';
import { balanceAnswer, historyAnswer, mempoolAnswer, unspentAnswer } from './answers.ts';

const IN_BLOCK = { txid: 'aa', height: 7 } as VerifiedEntry;
const WAITING = { txid: 'bb', height: 0 } as VerifiedEntry;
const CHILD = { txid: 'cc', height: -1 } as VerifiedEntry;
const history = {
  entries: [IN_BLOCK, WAITING, CHILD],
  confirmed: 900n,
  unconfirmed: -400n,
  unspent: [
    { txid: 'aa', vout: 1, value: 300n, height: 7, proved: true },
    { txid: 'cc', vout: 0, value: 200n, height: -1, proved: false },
  ],
} as unknown as VerifiedHistory;

test('only what no block holds has a fee, and it always has one', () => {
  const fees = new Map([['bb', 150]]);
  assert.deepEqual(historyAnswer(history, fees), [
    { height: 7, tx_hash: 'aa' },
    { height: 0, tx_hash: 'bb', fee: 150 },
    { height: -1, tx_hash: 'cc', fee: 0 },
  ]);
  assert.deepEqual(mempoolAnswer(history, fees), historyAnswer(history, fees).slice(1));
});

test('a balance may fall by what is unconfirmed', () => {
  assert.deepEqual(balanceAnswer(history), { confirmed: 900, unconfirmed: -400 });
});

test('an output that no block holds has the height 0, whatever it spends', () => {
  assert.deepEqual(unspentAnswer(history), [
    { tx_hash: 'aa', tx_pos: 1, height: 7, value: 300 },
    { tx_hash: 'cc', tx_pos: 0, height: 0, value: 200 },
  ]);
});
