import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import {
  decodeTransactionBody,
  encodeTransactionBody,
  packTransaction,
  type TransactionProof,
} from './transaction-body.ts';

const zero = '00'.repeat(32);
const deepest: TransactionProof = {
  height: 0xffff_ffff,
  position: 2 ** 30 - 1,
  branch: new Array<string>(30).fill(zero),
  coinbase: { txid: zero, branch: new Array<string>(29).fill(zero) },
};
const ofCoinbase: TransactionProof = { height: 1, position: 0, branch: [], coinbase: undefined };

test('a transaction of any size comes back in pages that fit, the proof on the first', () => {
  const raws = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 5_000, size: 'max' }),
    fc.integer({ min: 1, max: 400_000 }).map((length) => new Uint8Array(length).fill(7)),
  );
  const proofs = fc.constantFrom(undefined, deepest, ofCoinbase);
  const property = fc.property(raws, proofs, (raw, proof) => {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < raw.length; offset += parts.at(-1)?.length ?? 0) {
      const page = packTransaction({ raw, offset, proof: offset === 0 ? proof : undefined });
      const bytes = encodeCbor(encodeTransactionBody(page));
      assert.ok(bytes.length <= MAX_BODY_BYTES);
      const read = decodeTransactionBody(decodeCbor(bytes));
      assert.deepEqual(read, page);
      assert.ok(read.bytes.length > 0);
      parts.push(read.bytes);
    }
    assert.equal(toHex(concatBytes(...parts)), toHex(raw));
  });
  fc.assert(property, { numRuns: 30 });
});

const HASH = new Uint8Array(32);
const body = (changes: Record<number, Cbor>): Cbor =>
  new Map(
    Object.entries({ 1: 10, 2: 0, 3: HASH.subarray(22), ...changes }).map(([key, value]) => [
      Number(key),
      value,
    ]),
  );

test.each<[reason: string, body: Cbor]>([
  ['nothing', body({ 1: 0 })],
  ['larger than any', body({ 1: 400_001 })],
  ['an offset past the end', body({ 2: 10 })],
  ['more bytes than there are', body({ 3: HASH })],
  ['no bytes', body({ 3: HASH.subarray(32) })],
  ['half a proof', body({ 4: 1, 5: 0 })],
  ['a proof without a height', body({ 5: 0, 6: HASH })],
  ['a proof on a later page', body({ 2: 5, 3: HASH.subarray(30), 4: 1, 5: 0, 6: HASH })],
  ['no coinbase', body({ 4: 1, 5: 1, 6: HASH })],
  ['a coinbase that is null', body({ 4: 1, 5: 0, 6: HASH, 7: null })],
  ['a field that is not known', body({ 8: 0 })],
])('a transaction is refused: %s', (_, wrong) => {
  assert.throws(() => decodeTransactionBody(wrong), MalformedBytesError);
});
