import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { type VerifiedHistory, type VerifiedTransaction } from '../lookup/lookup.ts';
import { MempoolFees } from './mempool-fees.ts';

interface Sketch {
  readonly txid: string;
  /** Transactions whose first outputs are spent. */
  readonly spends?: readonly string[];
  readonly pays: bigint;
  readonly height?: number;
}

function sketched({ txid, spends = [], pays, height = 0 }: Sketch): VerifiedTransaction {
  const inputs = spends.map((parent) => ({ txid: parent, vout: 0 }));
  const transaction = { inputs, outputs: [{ value: pays }] };
  return { txid, height, transaction } as unknown as VerifiedTransaction;
}

function historyOf(...sketches: readonly Sketch[]): VerifiedHistory {
  return { entries: sketches.map(sketched) } as unknown as VerifiedHistory;
}

interface Setting {
  readonly fees: MempoolFees;
  readonly asked: string[];
}

/** Over transactions of which those that are missing cannot be had. */
function feesOver(...sketches: readonly Sketch[]): Setting {
  const known = new Map(sketches.map((sketch) => [sketch.txid, sketched(sketch)]));
  const asked: string[] = [];
  const get = (txid: string): Promise<VerifiedTransaction> => {
    asked.push(txid);
    const found = known.get(txid);
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(new LookupError('no-answer', 'gone', { culprit: NOBODY }));
  };
  return { fees: new MempoolFees({ transactions: { get }, log: silent }), asked };
}

test('a fee is what a transaction spends less what it pays', async () => {
  const { fees } = feesOver({ txid: 'a', pays: 700n }, { txid: 'b', pays: 500n });
  const history = historyOf(
    { txid: 'c', spends: ['a', 'b'], pays: 1100n },
    { txid: 'd', spends: ['b'], pays: 499n, height: -1 },
  );
  assert.deepEqual(
    [...(await fees.feesOf(history))],
    [
      ['c', 100],
      ['d', 1],
    ],
  );
});

test('parents are asked for once, and those of what is in a block never', async () => {
  const { fees, asked } = feesOver({ txid: 'a', pays: 700n });
  const history = historyOf(
    { txid: 'x', spends: ['b'], pays: 1n, height: 9 },
    { txid: 'c', spends: ['a'], pays: 600n },
  );
  await Promise.all([fees.feesOf(history), fees.feesOf(history)]);
  await fees.feesOf(history);
  assert.deepEqual(asked, ['a']);
});

test('a fee is unknown while a parent cannot be had, and others are not', async () => {
  const { fees, asked } = feesOver({ txid: 'a', pays: 700n });
  const history = historyOf(
    { txid: 'c', spends: ['a', 'gone'], pays: 600n },
    { txid: 'd', spends: ['a'], pays: 690n },
  );
  assert.deepEqual([...(await fees.feesOf(history))], [['d', 10]]);
  await fees.feesOf(history);
  assert.equal(asked.filter((txid) => txid === 'gone').length, 2);
});

test('nobody is asked for the parents of a transaction that has very many', async () => {
  const { fees, asked } = feesOver();
  const spends = Array.from({ length: 51 }, (_, index) => `parent ${index}`);
  assert.equal((await fees.feesOf(historyOf({ txid: 'c', spends, pays: 1n }))).size, 0);
  assert.deepEqual(asked, []);
});
