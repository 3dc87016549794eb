import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex, MalformedBytesError } from '../base/bytes.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { Broadcasts } from './broadcasts.ts';

/** One input, one output of nothing. */
const RAW = fromHex(
  [
    '02000000',
    '01',
    'ab'.repeat(32),
    '00000000',
    '00',
    'ffffffff',
    '01',
    '00'.repeat(9),
    '00000000',
  ].join(''),
);
const TXID = txidOf(RAW);

interface Setting {
  readonly broadcasts: Broadcasts;
  /** Ends each transaction that is under way. */
  readonly ends: { readonly taken: () => void; readonly refused: () => void }[];
  readonly own: Uint8Array[];
}

function setting(): Setting {
  const ends: Setting['ends'] = [];
  const own: Uint8Array[] = [];
  const broadcasts = new Broadcasts({
    lookup: {
      broadcast: (_, { signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
          ends.push({
            taken: () => {
              resolve(TXID);
            },
            refused: () => {
              reject(new LookupError('not-seen', 'Not seen.', { culprit: NOBODY }));
            },
          });
        }),
    },
    watchList: { addOwn: (raw) => own.push(raw) },
  });
  return { broadcasts, ends, own };
}

const { signal } = new AbortController();

test('what two wallets send at once is sent once', async () => {
  const { broadcasts, ends, own } = setting();
  const sent = [1, 2].map(() => broadcasts.send(RAW, { signal }));
  assert.equal(ends.length, 1);
  ends[0]?.taken();
  assert.deepEqual(await Promise.all(sent), [TXID, TXID]);
  assert.deepEqual(own, [RAW]);
});

test('a wallet that goes does not stop what it has sent', async () => {
  const { broadcasts, ends, own } = setting();
  const wallet = new AbortController();
  const sent = broadcasts.send(RAW, { signal: wallet.signal });
  wallet.abort(new Error('gone'));
  await assert.rejects(sent, /gone/);
  const again = broadcasts.send(RAW, { signal });
  ends[0]?.taken();
  assert.equal(await again, TXID);
  assert.equal(ends.length, 1);
  assert.equal(own.length, 1);
});

test('what was refused is no transaction of the wallet, and may be sent again', async () => {
  const { broadcasts, ends, own } = setting();
  const sent = broadcasts.send(RAW, { signal });
  ends[0]?.refused();
  await assert.rejects(sent, LookupError);
  assert.deepEqual(own, []);
  const again = broadcasts.send(RAW, { signal });
  ends[1]?.taken();
  assert.equal(await again, TXID);
});

test('stopping gives up what is under way', async () => {
  const { broadcasts } = setting();
  const sent = assert.rejects(broadcasts.send(RAW, { signal }), /aborted/);
  await broadcasts[Symbol.asyncDispose]();
  await sent;
});

test('what is no transaction is not sent', async () => {
  const { broadcasts, ends } = setting();
  await assert.rejects(broadcasts.send(RAW.subarray(1), { signal }), MalformedBytesError);
  assert.equal(ends.length, 0);
});
