import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { CheckedBonds } from './checked-bonds.ts';
import { type BondChain, type BondClaim, LISTED_RULES, VOTING_RULES } from './verify-bond.ts';

const nodeId = 'dced38f3ccc06fc6f92732ada32e1162';
const made = testBond({ nodeId });

/** A claim that tells how often its transaction was read. */
function watched(): { claim: BondClaim; reads: () => number } {
  let reads = 0;
  const { raw, block } = made.proof;
  const proof = {
    get raw() {
      reads += 1;
      return raw;
    },
    block,
  };
  return { claim: { nodeId, bond: made.bond, proof }, reads: () => reads };
}

/** The chain of the bond, of which the newest height and all Merkle roots can be changed. */
function changing() {
  const now = { height: made.chain.tip.height, merkleRoot: undefined as string | undefined };
  const chain: BondChain = {
    tip: now,
    headerAt: (height) => {
      const header = made.chain.headerAt(height);
      return header && { ...header, merkleRoot: now.merkleRoot ?? header.merkleRoot };
    },
  };
  return { chain, now };
}

function refused(code: string, check: () => void): void {
  assert.throws(check, (error) => error instanceof DirectoryError && error.code === code);
}

test('a proof is looked at once, until its block leaves the chain', () => {
  const { claim, reads } = watched();
  const { chain, now } = changing();
  const bonds = new CheckedBonds(chain, VOTING_RULES);
  for (let again = 0; again < 3; again++) bonds.verify(claim);
  assert.equal(reads(), 1);
  now.merkleRoot = '00'.repeat(32);
  refused('bond-unproved', () => {
    bonds.verify(claim);
  });
  assert.equal(reads(), 2);
});

test('what ends with time is looked at each time', () => {
  const { claim } = watched();
  const { chain, now } = changing();
  const bonds = new CheckedBonds(chain, VOTING_RULES);
  bonds.verify(claim);
  now.height = 2016 * made.bond.expiry;
  refused('bond-certificate', () => {
    bonds.verify(claim);
  });
});

test('whoever checks after the votes asks for less, as a consensus holds for a day', () => {
  const { claim } = watched();
  const { chain, now } = changing();
  const bonds = new CheckedBonds(chain, LISTED_RULES);
  now.height = made.proof.block.height;
  bonds.verify(claim);
  now.height = 2016 * made.bond.expiry + 287;
  bonds.verify(claim);
  now.height += 1;
  refused('bond-certificate', () => {
    bonds.verify(claim);
  });
});

test('what a certificate may hold for too long, a chain that is behind by a day does not refuse', () => {
  const claim = { nodeId, ...testBond({ nodeId, expiry: 61 }) };
  const { chain, now } = changing();
  const bonds = new CheckedBonds(chain, LISTED_RULES);
  now.height = 2016 - 288;
  bonds.verify(claim);
  now.height -= 1;
  refused('bond-certificate', () => {
    bonds.verify(claim);
  });
});
