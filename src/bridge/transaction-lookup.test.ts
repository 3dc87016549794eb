import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { type FoundTransaction, type Lookup, type VerifiedEntry } from '../lookup/lookup.ts';
import { TransactionLookup } from './transaction-lookup.ts';

const { signal } = new AbortController();

interface Setting {
  readonly transactions: TransactionLookup;
  readonly asked: string[];
  now: number;
  /** Hash of every block. */
  block: string;
}

function setting(height: number, held: readonly string[] = []): Setting {
  const found = { height, raw: new Uint8Array(100) } as FoundTransaction;
  const asked: string[] = [];
  const state: Setting = {
    asked,
    now: 1_000_000,
    block: 'one',
    transactions: new TransactionLookup({
      watchList: {
        entryOf: (txid) => (held.includes(txid) ? ({ txid } as VerifiedEntry) : undefined),
      },
      lookup: {
        headers: { headerAt: () => ({ hash: state.block }) } as unknown as Lookup['headers'],
        transaction: (txid) => {
          asked.push(txid);
          if (txid === 'none') {
            const error = new LookupError('no-answer', 'gone', { culprit: NOBODY });
            return Promise.reject(error);
          }
          return Promise.resolve({ ...found, txid });
        },
      },
      clock: () => state.now,
    }),
  };
  return state;
}

test('nobody is asked for what is in a history', async () => {
  const { transactions, asked } = setting(7, ['a']);
  assert.equal((await transactions.get('a', { signal })).txid, 'a');
  assert.deepEqual(asked, []);
});

test('another transaction is asked for once, however many wait for it', async () => {
  const { transactions, asked } = setting(7);
  await Promise.all([1, 2, 3].map(() => transactions.get('a', { signal })));
  await transactions.get('a', { signal });
  assert.deepEqual(asked, ['a']);
});

test('it is asked for again when its block has left the chain', async () => {
  const state = setting(7);
  await state.transactions.get('a', { signal });
  state.block = 'another';
  await state.transactions.get('a', { signal });
  assert.equal(state.asked.length, 2);
});

test('one without a block is asked for again after five minutes', async () => {
  const state = setting(0);
  await state.transactions.get('a', { signal });
  state.now += 299_999;
  await state.transactions.get('a', { signal });
  assert.equal(state.asked.length, 1);
  state.now += 1;
  await state.transactions.get('a', { signal });
  assert.equal(state.asked.length, 2);
});

test('what was not found is asked for again', async () => {
  const { transactions, asked } = setting(7);
  await assert.rejects(transactions.get('none', { signal }), LookupError);
  await assert.rejects(transactions.get('none', { signal }), LookupError);
  assert.equal(asked.length, 2);
});
