import { type TransactionInput } from '../bitcoin/transaction.ts';
import { type VerifiedEntry } from '../lookup/lookup.ts';
import { type HeaderLookup } from '../lookup/verify-history.ts';
import { OutputSpenders } from './output-spenders.ts';
import { leadsToChain } from './still-proved.ts';

export interface BlockPlace {
  readonly height: number;
  /** In the block, from 0. */
  readonly position: number;
}

interface Held<H> {
  entry: VerifiedEntry;
  readonly holders: Set<H>;
}

/**
 * What all histories together say of each transaction. A block that proves it in one history proves
 * it in all, until that block leaves the chain; of what the mempool holds, the newest word counts.
 */
export class HeldTransactions<H> {
  readonly #held = new Map<string, Held<H>>();
  readonly #spenders = new OutputSpenders();

  get(txid: string): VerifiedEntry | undefined {
    return this.#held.get(txid)?.entry;
  }

  proofOf(txid: string): VerifiedEntry | undefined {
    const entry = this.get(txid);
    return entry?.proved === true ? entry : undefined;
  }

  /** The transaction that a block proves to be at this place of it, if it is held. */
  at({ height, position }: BlockPlace): VerifiedEntry | undefined {
    for (const { entry } of this.#held.values()) {
      if (entry.proved && entry.height === height && entry.position === position) return entry;
    }
    return undefined;
  }

  /** The transaction, if any, that a block proves to spend what the input spends. */
  spenderOf(input: TransactionInput): string | undefined {
    return this.#spenders.of(input).find((txid) => this.proofOf(txid) !== undefined);
  }

  /** Takes in a history that the chain proves now. Returns the holders of others that it concerns. */
  hold(holder: H, entries: readonly VerifiedEntry[]): ReadonlySet<H> {
    const concerned = new Set<H>();
    for (const entry of entries) {
      const held = this.#held.get(entry.txid);
      if (held === undefined) {
        this.#held.set(entry.txid, { entry, holders: new Set([holder]) });
        this.#spenders.add(entry);
        if (entry.proved) this.#collectRivals(entry, concerned);
        continue;
      }
      held.holders.add(holder);
      if (!isNews(entry, held.entry)) continue;
      held.entry = entry;
      this.#collectRivals(entry, concerned);
    }
    concerned.delete(holder);
    return concerned;
  }

  /** Lets go what of a history is not in its place any more. */
  release(holder: H, entries: readonly VerifiedEntry[]): void {
    for (const { txid } of entries) {
      const held = this.#held.get(txid);
      if (held?.holders.delete(holder) !== true || held.holders.size > 0) continue;
      this.#held.delete(txid);
      this.#spenders.remove(held.entry);
    }
  }

  /** After the blocks above a height were replaced. Returns the holders that it concerns. */
  loseProofs(above: number, chain: HeaderLookup): ReadonlySet<H> {
    const concerned = new Set<H>();
    for (const held of this.#held.values()) {
      const { entry } = held;
      if (!entry.proved || entry.height <= above || leadsToChain(entry, chain)) continue;
      held.entry = asUnconfirmed(entry);
      this.#collectRivals(entry, concerned);
    }
    return concerned;
  }

  /** The holders of a transaction, and of all others that spend what it spends. */
  #collectRivals({ transaction }: VerifiedEntry, concerned: Set<H>): void {
    const rivals = transaction.inputs.flatMap((input) => this.#spenders.of(input));
    for (const txid of new Set(rivals)) {
      for (const holder of this.#held.get(txid)?.holders ?? []) concerned.add(holder);
    }
  }
}

/** As the mempool would hold it. */
export function asUnconfirmed({ txid, raw, transaction }: VerifiedEntry): VerifiedEntry {
  const inMempool = { height: 0, position: undefined, proved: false, branch: undefined };
  return { txid, ...inMempool, raw, transaction };
}

function isNews(entry: VerifiedEntry, held: VerifiedEntry): boolean {
  if (entry.proved === held.proved) return entry.height !== held.height;
  return entry.proved;
}
