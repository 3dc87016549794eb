import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import {
  decodeBondProof,
  encodeBondProof,
  MAX_BOND_PROOF_BYTES,
  MAX_BOND_TRANSACTION_BYTES,
} from './bond-proof.ts';

const NODE = 'dced38f3ccc06fc6f92732ada32e1162';

test('a proof comes back as it was', () => {
  const { proof } = testBond({ nodeId: NODE });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.uint8Array({ minLength: 1 }),
      (height, raw) => {
        const made = { raw, block: { ...proof.block, height } };
        assert.deepEqual(decodeBondProof(encodeBondProof(made)), made);
      },
    ),
  );
});

test('noise is refused, and nothing else happens', () => {
  const good = encodeBondProof(testBond({ nodeId: NODE }).proof);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
          const damaged = good.slice();
          damaged[at] = (damaged[at] ?? 0) ^ by;
          return damaged;
        }),
      ),
      (bytes) => {
        try {
          decodeBondProof(bytes);
        } catch (error) {
          assert.ok(error instanceof DirectoryError);
        }
      },
    ),
  );
});

test('the largest transaction fits at the end of the fullest block, and no file is made of a larger one', () => {
  const { proof } = testBond({ nodeId: NODE });
  const txid = 'ff'.repeat(32);
  const branch = Array<string>(15).fill(txid);
  const position = 2 ** 15 - 1;
  const block = { ...proof.block, height: 2 ** 32 - 1, position, branch };
  const deepest = { ...block, coinbase: { txid, branch } };
  const made = { raw: new Uint8Array(MAX_BOND_TRANSACTION_BYTES), block: deepest };
  assert.ok(encodeBondProof(made).length <= MAX_BOND_PROOF_BYTES);
  const larger = { ...made, raw: new Uint8Array(MAX_BOND_PROOF_BYTES) };
  assert.throws(() => encodeBondProof(larger), { code: 'too-large' });
});

test('a proof that is too large, or a page of one, is refused', () => {
  assert.throws(() => decodeBondProof(new Uint8Array(MAX_BOND_PROOF_BYTES + 1)), {
    code: 'too-large',
  });
  const { proof } = testBond({ nodeId: NODE });
  const bytes = encodeBondProof({ ...proof, raw: proof.raw.subarray(1) });
  assert.throws(() => decodeBondProof(bytes.subarray(1)), { code: 'malformed' });
});
