import {
  parseTransaction,
  type Transaction,
  type TransactionInput,
} from '../bitcoin/transaction.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import { type VerifiedEntry as Entry } from '../lookup/lookup.ts';
import { type HeldTransactions } from './held-transactions.ts';
import { OutputSpenders } from './output-spenders.ts';

/** What no block holds after so long, no mempool holds either or for much longer. */
const SHOWN_MS = 72 * 3_600_000;
/** Each was taken into a mempool, so that they cost whoever makes them. */
const MOST = 1_000;

interface Own {
  readonly entry: Entry;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The scripts that it pays, and that it spends from as far as they are known, by scripthash. */
  readonly touched: ReadonlySet<string>;
}

/** What decides whether a transaction of ours is still shown. */
export interface OwnFacts {
  readonly now: number;
  /** The newest of ours that spends what the input spends, or the one that a block proves to. */
  readonly spenderOf: (input: TransactionInput) => string | undefined;
  /** Whether it was of ours and is over. */
  readonly isOver: (txid: string) => boolean;
}

/**
 * Whether a transaction that was broadcast through the bridge is still to be expected in the mempool:
 * for 72 hours, unless another spends what it spends, or one that it builds on is over.
 */
function isExpected({ entry, since }: Own, { now, spenderOf, isOver }: OwnFacts): boolean {
  if (now - since >= SHOWN_MS) return false;
  return entry.transaction.inputs.every(
    (input) => spenderOf(input) === entry.txid && !isOver(input.txid),
  );
}

/**
 * What was broadcast through the bridge and is not yet in a block. Histories show it before any
 * gateway is asked, so that spending causes no burst of questions.
 */
export class OwnTransactions {
  readonly #held: Pick<HeldTransactions<unknown>, 'get' | 'spenderOf'>;
  /** Oldest first, so that each comes after those that it spends. */
  readonly #own = new Map<string, Own>();
  readonly #spenders = new OutputSpenders();

  constructor(held: Pick<HeldTransactions<unknown>, 'get' | 'spenderOf'>) {
    this.#held = held;
  }

  get(txid: string): Entry | undefined {
    return this.#own.get(txid)?.entry;
  }

  /** Those that pay a script or spend what it was paid. */
  touching(scriptHash: string): readonly Entry[] {
    return [...this.#own.values()].flatMap(({ entry, touched }) =>
      touched.has(scriptHash) ? [entry] : [],
    );
  }

  /** The newest of ours, if any, that spends what the input spends. */
  spenderOf(input: TransactionInput): string | undefined {
    return this.#spenders.of(input).at(-1);
  }

  /**
   * Takes its place before older ones that spend the same. Returns the scripthashes that it touches.
   * @throws MalformedBytesError when it is no transaction.
   */
  add(raw: Uint8Array, now: number): Iterable<string> {
    const transaction = parseTransaction(raw);
    const { txid, inputs } = transaction;
    const again = this.#own.get(txid);
    if (again !== undefined) return again.touched;
    const height = this.#heightOf(inputs);
    const inMempool = { height, position: undefined, proved: false, branch: undefined };
    const entry = { txid, ...inMempool, raw, transaction };
    const touched = this.#touchedBy(transaction);
    this.#own.set(txid, { entry, since: now, touched });
    this.#spenders.add(entry);
    const [oldest] = this.#own.values();
    if (oldest !== undefined && this.#own.size > MOST) this.#drop(oldest);
    return touched;
  }

  /**
   * Takes in what was learnt since: drops those that are over, and one turn after a block proves them
   * those as well, because histories hold them from then on. Returns the scripthashes concerned.
   */
  review(now: number): ReadonlySet<string> {
    const over = new Set<string>();
    const concerned = new Set<string>();
    for (const [txid, own] of this.#own) {
      const entry = this.#next(own, { now, over });
      if (entry === own.entry) continue;
      for (const scriptHash of own.touched) concerned.add(scriptHash);
      if (entry === undefined) {
        over.add(txid);
        this.#drop(own);
      } else {
        this.#own.set(txid, { ...own, entry });
      }
    }
    return concerned;
  }

  /** As it is known now; undefined when it is over. */
  #next(own: Own, { now, over }: { now: number; over: ReadonlySet<string> }): Entry | undefined {
    const { entry } = own;
    if (entry.proved) return undefined;
    const known = this.#held.get(entry.txid);
    if (known?.proved === true) return known;
    const expected = isExpected(own, {
      now,
      spenderOf: (input) => this.#held.spenderOf(input) ?? this.spenderOf(input),
      isOver: (txid) => over.has(txid) && this.#held.get(txid) === undefined,
    });
    if (!expected) return undefined;
    const height = this.#heightOf(entry.transaction.inputs);
    return known ?? (height === entry.height ? entry : { ...entry, height });
  }

  /** As Electrum says it: -1 when it spends what is not confirmed. */
  #heightOf(inputs: readonly TransactionInput[]): number {
    return inputs.some((input) => this.#parentOf(input)?.proved === false) ? -1 : 0;
  }

  #touchedBy({ inputs, outputs }: Transaction): ReadonlySet<string> {
    const spent = inputs.flatMap(
      (input) => this.#parentOf(input)?.transaction.outputs[input.vout] ?? [],
    );
    return new Set([...spent, ...outputs].map(({ script }) => scriptHashOf(script)));
  }

  #parentOf({ txid }: TransactionInput): Entry | undefined {
    return this.#held.get(txid) ?? this.get(txid);
  }

  #drop({ entry }: Own): void {
    this.#own.delete(entry.txid);
    this.#spenders.remove(entry);
  }
}
