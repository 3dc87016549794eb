import { equalBytes } from '../base/bytes.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { type Bond } from '../directory/bond-line.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NodeId } from '../directory/node-id.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { checkInBlock, readTransaction } from '../electrum/check-in-block.ts';
import { isCertified } from './bond-certificate.ts';
import { type BondProof } from './bond-proof.ts';
import { bondOutputScript, MAX_LOCKTIME, MIN_LOCKTIME } from './bond-script.ts';

/** The chain that whoever checks has verified. */
export interface BondChain {
  readonly tip: { readonly height: number };
  headerAt(height: number): BlockHeader | undefined;
}

export interface BondClaim {
  readonly nodeId: NodeId;
  readonly bond: Bond;
  readonly proof: BondProof;
}

/** What certificates are dated by: two weeks of blocks. */
export const PERIOD_BLOCKS = 2016;
/** Over two years: nobody can take a certificate back before it ends. */
const LONGEST_BLOCKS = 60 * PERIOD_BLOCKS;
const MEDIAN_BLOCKS = 11;
const BLOCK_SECONDS = 600;

/** How much of a bond must be left. */
export interface BondRules {
  /** So many blocks, its own included, before a payment counts: a short reorganisation undoes fewer. */
  readonly confirmations: number;
  /** For how long the coins are locked still. */
  readonly marginSeconds: number;
  /** By how much a certificate may have ended, or hold for too long. */
  readonly graceBlocks: number;
}

/** Of authorities: a bond that ends within the life of a descriptor does not count any more. */
export const VOTING_RULES: BondRules = {
  confirmations: 6,
  marginSeconds: 48 * 3600,
  graceBlocks: 0,
};

/** Of whoever has a consensus, up to a day after the votes, and headers that may be behind by some blocks. */
export const LISTED_RULES: BondRules = { confirmations: 1, marginSeconds: 0, graceBlocks: 288 };

/**
 * Checks that the coins are there and cannot have been spent (spec/directory.md section 12): the
 * output is in a block, and the median time of the chain has not reached its lock time (BIP 113).
 * @throws DirectoryError `bond-certificate`, `bond-not-locked`, `bond-unproved`.
 */
export function verifyBond(claim: BondClaim, chain: BondChain, rules = VOTING_RULES): void {
  checkCertified(claim);
  checkLocked(claim, chain, rules);
}

/**
 * All of `verifyBond` but the signature of the certificate.
 * @throws DirectoryError `bond-certificate`, `bond-not-locked`, `bond-unproved`.
 */
export function checkLocked(claim: BondClaim, chain: BondChain, rules: BondRules): void {
  checkTime(claim, chain, rules);
  checkPaid(claim, chain, rules);
}

/** @throws DirectoryError `bond-certificate` */
function checkCertified({ nodeId, bond }: BondClaim): void {
  if (isCertified({ nodeId, expiry: bond.expiry }, bond)) return;
  throw new DirectoryError('bond-certificate', 'the key of the bond did not sign for the node');
}

/**
 * The part of `verifyBond` that passes with time.
 * @throws DirectoryError `bond-certificate`, `bond-not-locked`.
 */
export function checkTime({ bond }: BondClaim, chain: BondChain, rules: BondRules): void {
  const { locktime, expiry } = bond;
  const left = expiry * PERIOD_BLOCKS - chain.tip.height;
  if (left <= -rules.graceBlocks) {
    throw new DirectoryError('bond-certificate', 'the certificate of the bond has ended');
  }
  if (left > LONGEST_BLOCKS + rules.graceBlocks) {
    throw new DirectoryError('bond-certificate', 'the certificate of the bond holds for too long');
  }
  const locked = locktime >= MIN_LOCKTIME && locktime <= MAX_LOCKTIME;
  if (!locked || locktime < medianTime(chain) + rules.marginSeconds) {
    throw new DirectoryError('bond-not-locked', 'the coins of the bond are not locked long enough');
  }
}

function checkPaid({ bond, proof }: BondClaim, chain: BondChain, rules: BondRules): void {
  const { raw, block } = proof;
  const header = chain.headerAt(block.height);
  if (header === undefined || chain.tip.height - block.height + 1 < rules.confirmations) {
    const message = `the payment has fewer than ${rules.confirmations} confirmations`;
    throw new DirectoryError('bond-unproved', message);
  }
  try {
    const transaction = readTransaction(raw, bond.txid);
    checkInBlock(transaction, block, header);
    const output = transaction.outputs[bond.vout];
    const isPaid = output?.value === BigInt(bond.sats) && bond.sats > 0;
    if (isPaid && equalBytes(output.script, bondOutputScript(bond))) return;
  } catch (cause) {
    if (!(cause instanceof ProofError)) throw cause;
    throw new DirectoryError('bond-unproved', cause.message, { cause });
  }
  throw new DirectoryError('bond-unproved', 'the output is not the one that the bond names');
}

/** Where a chain is. */
export interface ChainMoment {
  /** Of the newest block. */
  readonly height: number;
  /** Unix seconds. */
  readonly time: number;
}

/** For how long certificate and lock hold still, in seconds: a block is taken for ten minutes. */
export function secondsLeft({ locktime, expiry }: Bond, { height, time }: ChainMoment): number {
  return Math.min((expiry * PERIOD_BLOCKS - height) * BLOCK_SECONDS, locktime - time);
}

/** The moment that locks are held against. */
export function momentOf(chain: BondChain): ChainMoment {
  return { height: chain.tip.height, time: medianTime(chain) };
}

/** Unix seconds. The median of the last eleven blocks, which is what a lock time is held against. */
function medianTime(chain: BondChain): number {
  const { height: newest } = chain.tip;
  const times: number[] = [];
  for (let height = Math.max(0, newest - MEDIAN_BLOCKS + 1); height <= newest; height++) {
    const header = chain.headerAt(height);
    if (header !== undefined) times.push(header.time);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}
