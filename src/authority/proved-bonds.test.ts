import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { testDescriptor } from '../../test/test-directory.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { parseBondFile } from '../bond/bond-file.ts';
import { encodeBondProof } from '../bond/bond-proof.ts';
import { type BondChain } from '../bond/verify-bond.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../io/temporary-directory.ts';
import { ProvedBonds } from './proved-bonds.ts';

const { nodeId } = testDescriptor('a');
const made = testBond({ nodeId, sats: 5_000_000 });
const bonded = testDescriptor('a', { bond: made.bond });
const proof = encodeBondProof(made.proof);

const open = (
  { path }: TemporaryDirectory,
  nodes: readonly Descriptor[],
  chain = made.chain,
): Promise<ProvedBonds> => ProvedBonds.open({ directory: path, chain, nodes: () => nodes });

function refusedAs(code: string): (error: unknown) => boolean {
  return (error) => error instanceof DirectoryError && error.code === code;
}

test('a bond counts once it is proved, after a restart too', async () => {
  await using directory = await makeTemporaryDirectory();
  const bonds = await open(directory, [bonded]);
  assert.equal(bonds.satsOf(bonded), 0);
  await bonds.take(proof);
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  assert.equal(bonds.satsOf(testDescriptor('a')), 0);
  assert.equal((await open(directory, [bonded])).satsOf(bonded), 5_000_000);
});

test('the payment of one node is not the bond of another that names it', async () => {
  await using directory = await makeTemporaryDirectory();
  const thief = testDescriptor('b', { bond: made.bond });
  const bonds = await open(directory, [thief, bonded]);
  await bonds.take(proof);
  assert.deepEqual([bonds.satsOf(thief), bonds.satsOf(bonded)], [0, 5_000_000]);
  const alone = await open(directory, [thief]);
  await assert.rejects(alone.take(proof), refusedAs('bond-certificate'));
});

test('a proof that nobody asked for, or that proves nothing, is not kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const noise = Uint8Array.of(1, 2, 3);
  const bonds = await open(directory, [testDescriptor('a')]);
  await assert.rejects(bonds.take(proof), refusedAs('unknown-node'));
  await assert.rejects(bonds.take(noise), refusedAs('malformed'));
  const raw = encodeBondProof({ ...made.proof, raw: noise });
  await assert.rejects(bonds.take(raw), refusedAs('malformed'));
  const block = { ...made.proof.block, height: 3 };
  const elsewhere = { ...made.chain, headerAt: () => undefined };
  const other = await open(directory, [bonded], elsewhere);
  await assert.rejects(
    other.take(encodeBondProof({ ...made.proof, block })),
    refusedAs('bond-unproved'),
  );
  assert.deepEqual(await readdir(directory.path), []);
});

test('a bond that has come to its end does not count any more, without a word of the node', async () => {
  await using directory = await makeTemporaryDirectory();
  const tip = { height: made.chain.tip.height };
  const chain = { ...made.chain, tip };
  const bonds = await open(directory, [bonded], chain);
  await bonds.take(proof);
  tip.height = made.bond.expiry * 2016 - 1;
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  tip.height += 1;
  assert.equal(bonds.satsOf(bonded), 0);
});

test('the proof of a bond that no node names any more is forgotten', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = [bonded];
  const bonds = await open(directory, nodes);
  await bonds.take(proof);
  await bonds.forget();
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  nodes.pop();
  await bonds.forget();
  assert.equal(bonds.satsOf(bonded), 0);
  assert.deepEqual(await readdir(directory.path), []);
});

test('a bond does not count while the block of its payment is out of the chain', async () => {
  await using directory = await makeTemporaryDirectory();
  let merkleRoot = made.chain.headerAt(made.proof.block.height)?.merkleRoot ?? '';
  const headerAt: BondChain['headerAt'] = (height) => {
    const header = made.chain.headerAt(height);
    return header && { ...header, merkleRoot };
  };
  const bonds = await open(directory, [bonded], { ...made.chain, headerAt });
  await bonds.take(proof);
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  const before = merkleRoot;
  merkleRoot = '00'.repeat(32);
  assert.equal(bonds.satsOf(bonded), 0);
  merkleRoot = before;
  assert.equal(bonds.satsOf(bonded), 5_000_000);
});

test('whoever asks is shown the bond of a node while it holds', async () => {
  await using directory = await makeTemporaryDirectory();
  const tip = { height: made.chain.tip.height };
  const bonds = await open(directory, [bonded], { ...made.chain, tip });
  assert.equal(bonds.fileOf(nodeId), undefined);
  await bonds.take(proof);
  const file = bonds.fileOf(nodeId);
  assert.deepEqual(file && parseBondFile(fromUtf8(file)), {
    nodeId,
    bond: made.bond,
    proof: made.proof,
  });
  assert.equal(bonds.fileOf('00'.repeat(16)), undefined);
  tip.height = made.bond.expiry * 2016;
  assert.equal(bonds.fileOf(nodeId), undefined);
});
