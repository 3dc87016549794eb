import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { testDescriptor } from '../../test/test-directory.ts';
import { utf8 } from '../base/bytes.ts';
import { renderBondFile } from '../bond/bond-file.ts';
import { type BondChain, type BondClaim } from '../bond/verify-bond.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NodeId } from '../directory/node-id.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../io/temporary-directory.ts';
import { ProvedBonds } from './proved-bonds.ts';

const idOf = (name: string): NodeId => testDescriptor(name).nodeId;
const nodeId = idOf('a');
const made = testBond({ nodeId, sats: 5_000_000 });
const bonded = testDescriptor('a', { bond: made.bond });
const fileOf = (claim: BondClaim): Uint8Array => utf8(renderBondFile(claim));
const file = fileOf({ nodeId, ...made });

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
  await bonds.take(file);
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  assert.equal(bonds.satsOf(testDescriptor('a')), 0);
  assert.equal((await open(directory, [bonded])).satsOf(bonded), 5_000_000);
});

test('a bond that came before its descriptor counts when that is here', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes: Descriptor[] = [];
  const bonds = await open(directory, nodes);
  await bonds.take(file);
  assert.equal(bonds.fileOf(nodeId), undefined);
  nodes.push(bonded);
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  assert.deepEqual(bonds.fileOf(nodeId), file);
});

test('the payment of one node is not the bond of another that names it', async () => {
  await using directory = await makeTemporaryDirectory();
  const thief = testDescriptor('b', { bond: made.bond });
  const bonds = await open(directory, [thief, bonded]);
  await bonds.take(file);
  assert.deepEqual([bonds.satsOf(thief), bonds.satsOf(bonded)], [0, 5_000_000]);
  assert.deepEqual(bonds.stakesOf([thief, bonded]), [0, 5_000_000]);
  const stolen = fileOf({ nodeId: thief.nodeId, ...made });
  await assert.rejects(bonds.take(stolen), refusedAs('bond-certificate'));
});

test('a bond of less than what counts holds no place', async () => {
  for (const [bondMinSats, stake] of [
    [5_000_000, 5_000_000],
    [5_000_001, 0],
  ] as const) {
    await using directory = await makeTemporaryDirectory();
    const nodes = (): readonly Descriptor[] => [bonded];
    const options = { directory: directory.path, chain: made.chain, nodes, bondMinSats };
    const bonds = await ProvedBonds.open(options);
    await bonds.take(file);
    assert.deepEqual(bonds.stakesOf([bonded]), [stake]);
  }
});

test('coins that their owner signed to two nodes hold no place for either', async () => {
  await using directory = await makeTemporaryDirectory();
  const twin = testDescriptor('b', { bond: testBond({ ...made.bond, nodeId: idOf('b') }).bond });
  const bonds = await open(directory, [bonded, twin]);
  await bonds.take(file);
  assert.deepEqual(bonds.stakesOf([bonded, twin, testDescriptor('c')]), [5_000_000, 0, 0]);
  await bonds.take(
    fileOf({ nodeId: twin.nodeId, ...testBond({ nodeId: twin.nodeId, sats: 5_000_000 }) }),
  );
  assert.deepEqual(bonds.stakesOf([bonded, twin, testDescriptor('c')]), [0, 0, 0]);
  assert.deepEqual(bonds.stakesOf([bonded]), [5_000_000]);
});

test('what proves nothing is not kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const noise = Uint8Array.of(1, 2, 3);
  const bonds = await open(directory, [bonded]);
  await assert.rejects(bonds.take(noise), refusedAs('malformed'));
  await assert.rejects(bonds.take(new Uint8Array(25_000)), refusedAs('too-large'));
  const raw = fileOf({ nodeId, ...made, proof: { ...made.proof, raw: noise } });
  await assert.rejects(bonds.take(raw), refusedAs('bond-unproved'));
  const block = { ...made.proof.block, height: 3 };
  const elsewhere = { ...made.chain, headerAt: () => undefined };
  const other = await open(directory, [bonded], elsewhere);
  await assert.rejects(
    other.take(fileOf({ nodeId, ...made, proof: { ...made.proof, block } })),
    refusedAs('bond-unproved'),
  );
  assert.deepEqual(await readdir(directory.path), []);
});

test('a certificate made anew counts for the descriptor before too, and an older one does not replace it', async () => {
  await using directory = await makeTemporaryDirectory();
  const tip = { height: made.chain.tip.height };
  const bonds = await open(directory, [bonded], { ...made.chain, tip });
  const longer = testBond({ nodeId, sats: 5_000_000, expiry: made.bond.expiry + 3 });
  await bonds.take(fileOf({ nodeId, ...longer }));
  await bonds.take(file);
  tip.height = made.bond.expiry * 2016;
  assert.equal(bonds.satsOf(bonded), 5_000_000);
});

test('of bonds without a node so many wait, the larger ones, and of one coin a few', async () => {
  await using directory = await makeTemporaryDirectory();
  const { path } = directory;
  let { chain } = made;
  const bonds = await ProvedBonds.open({
    directory: path,
    chain: { tip: chain.tip, headerAt: (height) => chain.headerAt(height) },
    nodes: () => [],
    mostWaiting: 5,
  });
  const kept = async (): Promise<number> => (await readdir(path)).length;
  const bring = (name: string, sats: number): Promise<void> => {
    const other = testBond({ nodeId: idOf(name), sats });
    ({ chain } = other);
    return bonds.take(fileOf({ nodeId: idOf(name), ...other }));
  };
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await bring(name, 1000);
  assert.equal(await kept(), 4);
  await bring('a', 2000);
  assert.equal(await kept(), 5);
  await assert.rejects(bring('a', 999), refusedAs('full'));
  await bring('a', 3000);
  assert.equal(await kept(), 5);
  const { bond } = testBond({ nodeId: idOf('a'), sats: 3000 });
  assert.equal(bonds.satsOf(testDescriptor('a', { bond })), 3000);
});

test('a bond that has come to its end does not count any more, without a word of the node', async () => {
  await using directory = await makeTemporaryDirectory();
  const tip = { height: made.chain.tip.height };
  const chain = { ...made.chain, tip };
  const bonds = await open(directory, [bonded], chain);
  await bonds.take(file);
  tip.height = made.bond.expiry * 2016 - 1;
  assert.equal(bonds.satsOf(bonded), 5_000_000);
  tip.height += 1;
  assert.equal(bonds.satsOf(bonded), 0);
});

test('a bond that no node names any more is forgotten after a while', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = [bonded];
  const bonds = await open(directory, nodes);
  await bonds.take(file);
  await bonds.forget();
  await bonds.forget();
  nodes.pop();
  await bonds.forget();
  assert.equal(bonds.satsOf(bonded), 5_000_000);
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
  await bonds.take(file);
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
  await bonds.take(file);
  assert.deepEqual(bonds.fileOf(nodeId), file);
  assert.equal(bonds.fileOf('00'.repeat(16)), undefined);
  tip.height = made.bond.expiry * 2016;
  assert.equal(bonds.fileOf(nodeId), undefined);
});
