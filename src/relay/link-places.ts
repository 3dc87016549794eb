import type { Link } from './link.ts';

/** Whose link it is: all links of one circuit have one owner. */
interface Owner {
  /** How many it has. */
  readonly links: number;
}

/**
 * A bounded number of links. For one more, the quietest of those whose owners have the most ends: whoever
 * asks now and then stays, and to keep others out takes as many circuits as there are places.
 */
export class LinkPlaces {
  readonly #most: number;
  /** The one that was silent the longest comes first. */
  readonly #owners = new Map<Link, Owner>();

  constructor(most: number) {
    this.#most = most;
  }

  enter(link: Link, owner: Owner): void {
    if (this.#owners.size >= this.#most) this.#leastMissed()?.close('idle', 'others have come');
    this.#owners.set(link, owner);
  }

  /** Something came on it. */
  heard(link: Link): void {
    const owner = this.#owners.get(link);
    if (owner === undefined) return;
    this.#owners.delete(link);
    this.#owners.set(link, owner);
  }

  /** Whoever closes a link, its owner takes it out. */
  leave(link: Link): void {
    this.#owners.delete(link);
  }

  #leastMissed(): Link | undefined {
    let found: { readonly link: Link; readonly links: number } | undefined;
    for (const [link, { links }] of this.#owners) {
      if (found === undefined || links > found.links) found = { link, links };
    }
    return found?.link;
  }
}
