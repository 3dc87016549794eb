import { type ChainTip } from '../lookup/lookup.ts';
import { type HeaderLookup } from '../lookup/verify-history.ts';

/** Deeper reorganisations are found as well, and all proofs looked at then. */
const REMEMBERED = 100;

/** Remembers the tips that the chain had, and so sees blocks leave it. */
export class Forks {
  readonly #chain: HeaderLookup;
  /** Rising, all in the chain when it was last looked at. */
  readonly #tips: ChainTip[];

  constructor(chain: HeaderLookup, tip: ChainTip) {
    this.#chain = chain;
    this.#tips = [tip];
  }

  /** A height up to which no block has left the chain since last time; undefined when none has. */
  followTo(tip: ChainTip): number | undefined {
    const before = this.#tips.length;
    while (this.#tips.length > 0 && !this.#holds(this.#tips.at(-1))) this.#tips.pop();
    const isFork = this.#tips.length < before;
    const common = this.#tips.at(-1)?.height ?? 0;
    this.#tips.push(tip);
    if (this.#tips.length > REMEMBERED) this.#tips.shift();
    return isFork ? common : undefined;
  }

  #holds(tip: ChainTip | undefined): boolean {
    return tip !== undefined && this.#chain.headerAt(tip.height)?.hash === tip.hash;
  }
}
