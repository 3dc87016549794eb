import type { RegtestChain } from './chain.ts';
import { MerkleTree } from './merkle-tree.ts';

export interface HeaderProof {
  /** Over the block hashes from the first to `cp_height`. */
  readonly root: string;
  readonly branch: string[];
}

/** Proofs that a header is in the chain up to a later block (Electrum protocol, cp_height). */
export class HeaderProofs {
  readonly #chain: RegtestChain;
  #last: { readonly hash: string; readonly tree: MerkleTree } | undefined;

  constructor(chain: RegtestChain) {
    this.#chain = chain;
  }

  /** The checkpoint must be in the chain. Asked again and again for one checkpoint, it is cheap. */
  proofOf(height: number, checkpoint: number): HeaderProof {
    const hash = this.#chain.blocks[checkpoint]?.hash;
    if (hash === undefined) throw new RangeError(`there is no block ${checkpoint}`);
    if (this.#last?.hash !== hash) {
      const hashes = this.#chain.blocks.slice(0, checkpoint + 1).map((block) => block.hash);
      this.#last = { hash, tree: new MerkleTree(hashes) };
    }
    const { tree } = this.#last;
    return { root: tree.root, branch: tree.branch(height) };
  }
}
