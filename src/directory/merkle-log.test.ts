import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import { isConsistent, isIncluded, leafHash, logRoot, MerkleTree } from './merkle-log.ts';

/** Entries and heads that implementations of RFC 6962 test themselves with. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the head of a log is that of RFC 6962', () => {
  const leaves = ENTRIES.map((entry) => leafHash(fromHex(entry)));
  for (const [size, root] of ROOTS.entries()) {
    assert.equal(toHex(logRoot(leaves.slice(0, size))), root);
  }
});

test('every log is shown to begin with each smaller one, and with no other', () => {
  const leaves = leavesOf(33);
  for (let to = 0; to <= leaves.length; to++) {
    const all = leaves.slice(0, to);
    const head = { size: to, root: logRoot(all) };
    for (let from = 0; from <= to; from++) {
      const before = { size: from, root: logRoot(leaves.slice(0, from)) };
      const proof = new MerkleTree(all).consistencyProof(from, to);
      assert.ok(isConsistent(before, head, proof), `${from} to ${to}`);
      assert.ok(!isConsistent({ ...before, root: leafHash(before.root) }, head, proof));
      const otherHead = { ...head, root: leafHash(head.root) };
      // Every log begins with the empty one.
      assert.equal(isConsistent(before, otherHead, proof), from === 0);
      assert.ok(!isConsistent(before, head, [...proof, head.root]));
      if (proof.length > 0) assert.ok(!isConsistent(before, head, proof.slice(1)));
    }
  }
});

test('every leaf is shown to be where it is, and nowhere else', () => {
  const leaves = leavesOf(20);
  for (let size = 1; size <= leaves.length; size++) {
    const all = leaves.slice(0, size);
    const head = { size, root: logRoot(all) };
    for (const [index, hash] of all.entries()) {
      const proof = new MerkleTree(all).inclusionProof(index, size);
      assert.ok(isIncluded({ hash, index }, head, proof));
      assert.ok(!isIncluded({ hash, index: index + 1 }, head, proof));
      assert.ok(!isIncluded({ hash: leafHash(hash), index }, head, proof));
      assert.ok(!isIncluded({ hash, index }, head, [...proof, hash]));
      if (proof.length > 0) assert.ok(!isIncluded({ hash, index }, head, proof.slice(1)));
    }
  }
});

test('a log of another past is not consistent, whatever the proof says', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.uint8Array({ minLength: 30, maxLength: 34 }), { maxLength: 8 }),
      (from, more, proof) => {
        const before = { size: from, root: logRoot(leavesOf(from)) };
        const other = leavesOf(from + more).map(leafHash);
        const head = { size: other.length, root: logRoot(other) };
        assert.ok(!isConsistent(before, head, proof));
        assert.ok(
          !isConsistent(before, head, new MerkleTree(other).consistencyProof(from, other.length)),
        );
      },
    ),
  );
});

test('sizes that no log has are refused', () => {
  const root = logRoot(leavesOf(2));
  assert.ok(!isConsistent({ size: 1.5, root }, { size: 2, root }, []));
  assert.ok(!isConsistent({ size: 3, root }, { size: 2, root }, []));
  assert.ok(!isConsistent({ size: 0, root }, { size: 2, root }, []));
  assert.ok(!isIncluded({ hash: root, index: 0 }, { size: -1, root }, []));
  const tree = new MerkleTree(leavesOf(2));
  assert.throws(() => tree.consistencyProof(1, 3), RangeError);
  assert.throws(() => tree.consistencyProof(3, 2), RangeError);
  assert.throws(() => tree.inclusionProof(2, 2), RangeError);
});

function leavesOf(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) => leafHash(Uint8Array.of(index)));
}

test('however a log came about, its proofs are the same, to each size that it had', () => {
  const change = fc.record({ at: fc.nat(40), added: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      const tree = new MerkleTree();
      let leaves: readonly Uint8Array[] = [];
      for (const [round, { at, added }] of changes.entries()) {
        const index = Math.min(at, leaves.length);
        const more = leavesOf(added).map((leaf) => leafHash(Uint8Array.of(round, ...leaf)));
        leaves = [...leaves.slice(0, index), ...more];
        tree.replaceFrom(index, more);
      }
      assert.equal(tree.size, leaves.length);
      for (let to = 1; to <= leaves.length; to++) {
        const head = { size: to, root: logRoot(leaves.slice(0, to)) };
        const from = Math.floor(to / 3);
        const before = { size: from, root: logRoot(leaves.slice(0, from)) };
        assert.ok(isConsistent(before, head, tree.consistencyProof(from, to)));
        const leaf = { hash: leaves[from] ?? assert.fail(), index: from };
        assert.ok(isIncluded(leaf, head, tree.inclusionProof(from, to)));
      }
    }),
  );
});
