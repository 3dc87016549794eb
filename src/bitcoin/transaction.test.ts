import assert from 'node:assert/strict';
import { p2wpkh, Transaction } from '@scure/btc-signer';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { test } from 'vitest';
import { concatBytes, fromHex, MalformedBytesError } from '../base/bytes.ts';
import { parseTransaction, withoutWitnesses } from './transaction.ts';

/** The coinbase of the first block: its txid is that block's merkle root. */
const FIRST_COINBASE = fromHex(
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d' +
    '0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66' +
    '207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe55' +
    '48271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba' +
    '0b8d578a4c702b6bf11d5fac00000000',
);
const KEY = new Uint8Array(32).fill(7);

/** A really signed segwit transaction, by an independent implementation. */
function signed(amounts: readonly bigint[]): Transaction {
  const { script } = p2wpkh(secp256k1.getPublicKey(KEY));
  const transaction = new Transaction();
  const amount = amounts.reduce((sum, value) => sum + value, 1000n);
  transaction.addInput({ txid: '11'.repeat(32), index: 3, witnessUtxo: { script, amount } });
  for (const value of amounts) transaction.addOutput({ script, amount: value });
  transaction.sign(KEY);
  transaction.finalize();
  return transaction;
}

test('the first coinbase has the txid that is its block merkle root', () => {
  const { txid, inputs, outputs, vsize } = parseTransaction(FIRST_COINBASE);
  assert.equal(txid, '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b');
  assert.deepEqual([inputs[0]?.txid, inputs[0]?.vout], ['00'.repeat(32), 0xffff_ffff]);
  assert.equal(inputs[0] && 'witness' in inputs[0], false);
  assert.deepEqual([outputs[0]?.value, outputs[0]?.script.length], [5_000_000_000n, 67]);
  assert.equal(vsize, FIRST_COINBASE.length);
});

test('without its witnesses a transaction has the same txid and no more than that needs', () => {
  const raw = signed([1000n, 2000n]).extract();
  const whole = parseTransaction(raw);
  const stripped = withoutWitnesses(raw);
  const { inputs, ...rest } = parseTransaction(stripped);
  assert.equal(rest.txid, whole.txid);
  assert.deepEqual(rest.outputs, whole.outputs);
  assert.equal(inputs[0]?.witness, undefined);
  assert.equal(stripped.length, whole.strippedSize);
  assert.ok(stripped.length < raw.length);
  assert.deepEqual(withoutWitnesses(stripped), stripped);
});

test('a signed segwit transaction parses to what was signed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 1000n, max: 10n ** 12n }), { minLength: 1, maxLength: 300 }),
      (amounts) => {
        const transaction = signed(amounts);
        const parsed = parseTransaction(transaction.extract());
        assert.equal(parsed.txid, transaction.id);
        assert.equal(parsed.vsize, transaction.vsize);
        assert.deepEqual(
          parsed.outputs.map(({ value }) => value),
          amounts,
        );
        const [input] = parsed.inputs;
        assert.deepEqual([input?.txid, input?.vout], ['11'.repeat(32), 3]);
        assert.equal(input?.witness?.length, 2);
      },
    ),
    { numRuns: 20 },
  );
});

test('the stripped form has the same txid', () => {
  const transaction = signed([1000n, 2000n]);
  assert.equal(parseTransaction(transaction.toBytes(true, false)).txid, transaction.id);
});

test('every shortened or lengthened transaction is refused', () => {
  for (const raw of [FIRST_COINBASE, signed([1000n]).extract()]) {
    for (let length = 0; length < raw.length; length += 1) {
      assert.throws(() => parseTransaction(raw.subarray(0, length)), MalformedBytesError);
    }
    assert.throws(() => parseTransaction(concatBytes(raw, new Uint8Array(1))), MalformedBytesError);
  }
});

test('a length that is not in its shortest form is refused', () => {
  const long = concatBytes(
    FIRST_COINBASE.subarray(0, 4),
    fromHex('fd0100'),
    FIRST_COINBASE.subarray(5),
  );
  assert.throws(() => parseTransaction(long), /short form/);
});

test('noise throws only MalformedBytesError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), (noise, keep) => {
      try {
        parseTransaction(concatBytes(FIRST_COINBASE.subarray(0, keep), noise));
      } catch (error) {
        assert.ok(error instanceof MalformedBytesError);
      }
    }),
  );
});
