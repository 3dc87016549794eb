import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import { hashOf } from '../bitcoin/block-header.ts';
import { foldBranch, merkleBranch, merkleRoot } from './merkle.ts';
import { ProofError, type ProofCode } from './proof-error.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);

function refusedWith(code: ProofCode): (error: unknown) => boolean {
  return (error) => error instanceof ProofError && error.code === code;
}

test('every branch of a tree leads to its root', () => {
  fc.assert(
    fc.property(fc.uniqueArray(hash, { minLength: 1, maxLength: 40 }), (leaves) => {
      const root = merkleRoot(leaves);
      leaves.forEach((txid, position) => {
        const branch = merkleBranch(leaves, position);
        // The last of an odd level is its own right sibling.
        assert.equal(foldBranch({ txid, position, branch }), root);
      });
    }),
    { numRuns: 30 },
  );
});

test('the tree over header hashes has the root of the protocol documentation', () => {
  const { electrumCheckpoint } = JSON.parse(
    readFileSync(new URL('../../spec/vectors/standard/other.json', import.meta.url), 'utf8'),
  ) as { electrumCheckpoint: { root: string } };
  const header = fromHex(
    '0100000085144a84488ea88d221c8bd6c059da090e88f8a2c99690ee55dbba4e00000000' +
      'e11c48fecdd9e72510ca84f023370c9a38bf91ac5cae88019bee94d24528526344c36649ffff001d1d03e477',
  );
  const branch = [
    '000000004ebadb55ee9096c9a2f8880e09da59c0d68b1c228da88e48844a1485',
    '96cbbc84783888e4cc971ae8acf86dd3c1a419370336bb3c634c97695a8c5ac9',
    '965ac94082cebbcffe458075651e9cc33ce703ab0115c72d9e8b1a9906b2b636',
    '89e5daa6950b895190716dd26054432b564ccdc2868188ba1da76de8e1dc7591',
  ];
  assert.equal(foldBranch({ txid: hashOf(header), position: 5, branch }), electrumCheckpoint.root);
});

test('a changed sibling leads to another root', () => {
  const leaves = ['11', '22', '33'].map((byte) => byte.repeat(32));
  const [first = ''] = leaves;
  const branch = merkleBranch(leaves, 0).with(0, first.replace('1', '0'));
  assert.notEqual(foldBranch({ txid: first, position: 0, branch }), merkleRoot(leaves));
});

test('a branch of more than 30 hashes is refused', () => {
  const branch = Array.from({ length: 31 }, () => '11'.repeat(32));
  assert.throws(
    () => foldBranch({ txid: '22'.repeat(32), position: 0, branch }),
    refusedWith('branch-too-long'),
  );
});

test.each([2, 5, 2 ** 32, 2 ** 40 + 1])('position %i outside the tree is refused', (position) => {
  const branch = ['11'.repeat(32)];
  assert.throws(
    () => foldBranch({ txid: '22'.repeat(32), position, branch }),
    refusedWith('position-left-over'),
  );
});

test('a leaf repeated on its own left is refused (CVE-2012-2459)', () => {
  const txid = '22'.repeat(32);
  assert.throws(
    () => foldBranch({ txid, position: 1, branch: [txid] }),
    refusedWith('left-sibling-repeats'),
  );
});

test('an inner node that is a transaction is refused (CVE-2017-12842)', () => {
  const transaction =
    '01000000' + // version
    `01${'33'.repeat(32)}0000000000ffffffff` + // one input
    `0101000000000000000451515151` + // one output
    '00000000'; // lock time
  assert.equal(transaction.length, 128);
  const left = toHex(fromHex(transaction.slice(0, 64)).reverse());
  const right = toHex(fromHex(transaction.slice(64)).reverse());
  assert.throws(
    () => foldBranch({ txid: left, position: 0, branch: [right] }),
    refusedWith('inner-node-is-transaction'),
  );
});
