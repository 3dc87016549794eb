import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, reverseBytes, toHex } from '../base/bytes.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { HeaderProofs } from './header-proofs.ts';
import { foldBranch, merkleBranch, merkleRoot } from './merkle.ts';

/** Headers that differ; a branch of the chain has its own. */
function headers(count: number, branch = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, height) => {
    const header = new Uint8Array(80);
    new DataView(header.buffer).setUint32(0, height);
    header[79] = branch;
    return header;
  });
}

const hashOf = (header: Uint8Array): string => toHex(reverseBytes(doubleSha256(header)));

test.each([
  [0, 0],
  [5, 8],
  [2047, 2047],
  [2047, 2048],
  [2048, 2048],
  [7, 4095],
  [4096, 4100],
  [6000, 6143],
  [5000, 6500],
])('the proof of header %i up to %i is that of the whole tree', async (height, checkpoint) => {
  const chain = headers(7000);
  const proofs = new HeaderProofs((start, count) =>
    concatBytes(...chain.slice(start, start + count)),
  );
  const proof = await proofs.proofOf(height, checkpoint);
  const leaves = chain.slice(0, checkpoint + 1).map(hashOf);
  assert.deepEqual(proof, { root: merkleRoot(leaves), branch: merkleBranch(leaves, height) });
  const leaf = { txid: leaves[height] ?? '', position: height, branch: proof.branch };
  assert.equal(foldBranch(leaf), proof.root);
});

test('proofs follow the chain when its blocks are replaced', async () => {
  let chain = headers(5000);
  const proofs = new HeaderProofs((start, count) =>
    concatBytes(...chain.slice(start, start + count)),
  );
  const before = await proofs.proofOf(3, 4500);
  const proving = proofs.proofOf(3, 4500);
  chain = [...chain.slice(0, 4000), ...headers(5000, 1).slice(4000)];
  const after = await proving;
  const leaves = chain.slice(0, 4501).map(hashOf);
  assert.notEqual(before.root, after.root);
  assert.deepEqual(after, { root: merkleRoot(leaves), branch: merkleBranch(leaves, 3) });
});

test('a checkpoint above the chain is refused', async () => {
  const proofs = new HeaderProofs((start, count) =>
    concatBytes(...headers(10).slice(start, start + count)),
  );
  await assert.rejects(proofs.proofOf(3, 10), RangeError);
});
