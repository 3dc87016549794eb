import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { largestCoin, type ProvedPayment } from './find-coin.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const { bond } = testBond({ nodeId });

test('the largest of several payments is the bond', () => {
  const coin = largestCoin([paymentOf(100), paymentOf(300), paymentOf(200)], bond);
  assert.equal(coin?.sats, 300);
  assert.equal(coin.vout, 0);
  assert.equal(coin.txid, parseTransaction(coin.proof.raw).txid);
});

test('a payment to another key, or locked until another time, is none', () => {
  const later = { ...bond, locktime: bond.locktime + 1 };
  assert.equal(largestCoin([paymentOf(100)], later), undefined);
  assert.equal(largestCoin([], bond), undefined);
});

function paymentOf(sats: number): ProvedPayment {
  const { raw, block } = testBond({ nodeId, sats }).proof;
  return { raw, transaction: parseTransaction(raw), block };
}
