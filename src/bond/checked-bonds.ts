import {
  type BondChain,
  type BondClaim,
  type BondRules,
  checkTime,
  verifyBond,
} from './verify-bond.ts';

/**
 * Bonds that were verified once: signature and proof are not looked at again while the block of the
 * payment is in the chain. What passes with time is.
 */
export class CheckedBonds {
  readonly #chain: BondChain;
  readonly #rules: BondRules;
  /** The Merkle root that the proof led to. Weak: a claim that nobody holds any more is forgotten. */
  readonly #roots = new WeakMap<BondClaim, string>();

  constructor(chain: BondChain, rules: BondRules) {
    this.#chain = chain;
    this.#rules = rules;
  }

  /** The same claim is meant, not one like it. @throws DirectoryError as `verifyBond`. */
  verify(claim: BondClaim): void {
    const root = this.#chain.headerAt(claim.proof.block.height)?.merkleRoot;
    if (root !== undefined && this.#roots.get(claim) === root) {
      checkTime(claim, this.#chain, this.#rules);
      return;
    }
    verifyBond(claim, this.#chain, this.#rules);
    if (root !== undefined) this.#roots.set(claim, root);
  }
}
