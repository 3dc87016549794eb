import assert from 'node:assert/strict';
import { test } from 'vitest';
import { MAX_BOND_PROOF_BYTES } from './bond-proof.ts';
import { type BondChain, type BondClaim, verifyBond } from './verify-bond.ts';
import { DirectoryError, type DirectoryErrorCode } from '../directory/directory-error.ts';
import { TEST_TIME } from '../../test/test-directory.ts';
import { testBond, type TestBondOptions } from '../../test/test-bond.ts';

const NODE = 'dced38f3ccc06fc6f92732ada32e1162';

test('coins that are in the chain and locked are a bond', () => {
  const { chain, ...claim } = testBond({ nodeId: NODE });
  verifyBond({ nodeId: NODE, ...claim }, chain);
});

test('a certificate for another node, or of another key, is refused', () => {
  const made = claimOf({});
  refused('bond-certificate', { ...made.claim, nodeId: '00'.repeat(16) }, made.chain);
  const signature = made.claim.bond.signature.slice();
  signature[40] = (signature[40] ?? 0) ^ 1;
  refused('bond-certificate', withBond(made.claim, { signature }), made.chain);
  refused('bond-certificate', withBond(made.claim, { publicKey: new Uint8Array(33) }), made.chain);
});

test('a certificate ends with its period', () => {
  const { claim, chain } = claimOf({ expiry: 1 });
  verifyBond(claim, chain);
  refused('bond-certificate', claim, { ...chain, tip: { height: 2016 } });
});

test('a certificate that ends in more than 60 periods is refused, because nobody can take it back', () => {
  const { claim, chain } = claimOf({ expiry: 61 });
  refused('bond-certificate', claim, chain);
  refused('bond-certificate', claim, { ...chain, tip: { height: 2015 } });
  verifyBond(claim, { ...chain, tip: { height: 2016 } });
});

test('coins that can be spent, or soon can, are refused', () => {
  const tooSoon = claimOf({ locktime: TEST_TIME + 40 * 3600 });
  refused('bond-not-locked', tooSoon.claim, tooSoon.chain);
  const { claim, chain } = claimOf({});
  const { locktime } = claim.bond;
  const later: BondChain = {
    ...chain,
    headerAt: (height) => {
      const header = chain.headerAt(height);
      return header && { ...header, time: locktime - 40 * 3600 };
    },
  };
  refused('bond-not-locked', claim, later);
});

test('a lock time of blocks is none of seconds', () => {
  const { claim, chain } = claimOf({});
  refused('bond-not-locked', withBond(claim, { locktime: 900_000 }), chain);
  refused('bond-not-locked', withBond(claim, { locktime: 2 ** 32 }), chain);
});

test('a payment counts after six confirmations', () => {
  const fifth = claimOf({ blocksAfter: 4 });
  refused('bond-unproved', fifth.claim, fifth.chain);
  const sixth = claimOf({ blocksAfter: 5 });
  verifyBond(sixth.claim, sixth.chain);
});

test('more coins, another output, another lock time or another transaction are refused', () => {
  const { claim, chain } = claimOf({});
  refused('bond-unproved', withBond(claim, { sats: claim.bond.sats + 1 }), chain);
  refused('bond-unproved', withBond(claim, { vout: 1 }), chain);
  refused('bond-unproved', withBond(claim, { locktime: claim.bond.locktime + 1 }), chain);
  refused('bond-unproved', withBond(claim, { txid: '00'.repeat(32) }), chain);
});

test('a bond of nothing is refused', () => {
  const { claim, chain } = claimOf({ sats: 0 });
  refused('bond-unproved', claim, chain);
});

test('a payment that the block does not hold is refused', () => {
  const { claim, chain } = claimOf({});
  const { raw, block } = claim.proof;
  const moved = { raw, block: { ...block, position: 1 } };
  refused('bond-unproved', { ...claim, proof: moved }, chain);
  const forked: BondChain = { ...chain, headerAt: () => undefined };
  refused('bond-unproved', claim, forked);
  assert.ok(raw.length < MAX_BOND_PROOF_BYTES);
});

function claimOf(options: Partial<TestBondOptions>): { claim: BondClaim; chain: BondChain } {
  const { chain, bond, proof } = testBond({ nodeId: NODE, ...options });
  return { claim: { nodeId: NODE, bond, proof }, chain };
}

function withBond(claim: BondClaim, changes: Partial<BondClaim['bond']>): BondClaim {
  return { ...claim, bond: { ...claim.bond, ...changes } };
}

function refused(code: DirectoryErrorCode, claim: BondClaim, chain: BondChain): void {
  assert.throws(
    () => {
      verifyBond(claim, chain);
    },
    (error) => error instanceof DirectoryError && error.code === code,
    code,
  );
}
