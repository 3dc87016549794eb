import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { parseTransaction, type Transaction } from '../bitcoin/transaction.ts';
import { coinsIn, largestCoin } from './find-coin.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const { bond } = testBond({ nodeId });

test('the largest of several payments is the bond', () => {
  const coin = largestCoin([paymentOf(100), paymentOf(300), paymentOf(200)], bond);
  assert.equal(coin?.sats, 300);
  assert.equal(coin.vout, 0);
  assert.equal(coin.txid, paymentOf(300).txid);
});

test('a payment in a transaction too large for a proof is passed over', () => {
  const large = { ...paymentOf(300), strippedSize: 15_001 };
  assert.equal(largestCoin([paymentOf(100), large], bond)?.sats, 100);
  assert.equal(largestCoin([large], bond), undefined);
  assert.equal(coinsIn([paymentOf(100), large], bond).length, 2);
});

test('a payment to another key, or locked until another time, is none', () => {
  const later = { ...bond, locktime: bond.locktime + 1 };
  assert.equal(largestCoin([paymentOf(100)], later), undefined);
  assert.equal(largestCoin([], bond), undefined);
});

function paymentOf(sats: number): Transaction {
  return parseTransaction(testBond({ nodeId, sats }).proof.raw);
}
