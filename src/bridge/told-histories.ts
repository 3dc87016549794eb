import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import {
  type ChainTip,
  type VerifiedEntry,
  type VerifiedHeaders,
  type VerifiedHistory,
} from '../lookup/lookup.ts';
import { Forks } from './forks.ts';
import { type BlockPlace, HeldTransactions } from './held-transactions.ts';
import { OwnTransactions } from './own-transactions.ts';
import { type FetchedHistory, isSameHistory, tellHistory } from './tell-history.ts';
import { type WatchedScript } from './watched-script.ts';

export interface ToldHistoriesOptions {
  /** All that are watched, by scripthash. */
  readonly scripts: ReadonlyMap<string, WatchedScript>;
  readonly headers: VerifiedHeaders;
  /** The history of a script is told differently from now on. */
  readonly onChange: (script: WatchedScript, before: VerifiedHistory | undefined) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Makes what wallets are told of what was fetched, and keeps it free of contradictions: what is learnt
 * about a transaction from one history is told in all of them, at once.
 */
export class ToldHistories {
  readonly #options: ToldHistoriesOptions;
  readonly #held = new HeldTransactions<WatchedScript>();
  readonly #own = new OwnTransactions(this.#held);
  readonly #forks: Forks;

  constructor(options: ToldHistoriesOptions) {
    this.#options = options;
    this.#forks = new Forks(options.headers, options.headers.tip);
  }

  entryOf(txid: string): VerifiedEntry | undefined {
    return this.#held.get(txid) ?? this.#own.get(txid);
  }

  entryAt(place: BlockPlace): VerifiedEntry | undefined {
    return this.#held.at(place);
  }

  /**
   * Takes in a history that the chain proves now. What a block proved before is part of it, whether or
   * not the source lists it.
   */
  take(script: WatchedScript, history: VerifiedHistory): void {
    const listed = new Set(history.entries.map(({ txid }) => txid));
    const unlisted = script.fetched?.entries.filter(({ txid }) => !listed.has(txid)) ?? [];
    const kept = unlisted.filter(({ txid }) => this.#held.proofOf(txid) !== undefined);
    if (kept.length > 0) {
      this.#options.log.warn('a source leaves out what blocks prove', {
        transactions: kept.length,
      });
    }
    const entries = [...history.entries, ...kept];
    const concerned = this.#held.hold(script, entries);
    const dropped = unlisted.filter((entry) => !kept.includes(entry));
    this.#held.release(script, dropped);
    script.fetched = {
      ...history,
      entries: entries.map((entry) => this.#held.get(entry.txid) ?? entry),
    };
    this.#tellAnew([script, ...concerned]);
  }

  forget(script: WatchedScript): void {
    this.#held.release(script, script.fetched?.entries ?? []);
  }

  /** @throws MalformedBytesError when it is no transaction. */
  addOwn(raw: Uint8Array): void {
    const touched = this.#own.add(raw, this.#options.clock());
    this.#tellAnew(this.#scriptsOf(touched));
  }

  /** Returns the scripts whose history was in blocks that have left the chain. */
  followTo(tip: ChainTip): readonly WatchedScript[] {
    const common = this.#forks.followTo(tip);
    if (common === undefined) {
      this.#tellAnew([]);
      return [];
    }
    const concerned = this.#held.loseProofs(common, this.#options.headers);
    this.#tellAnew(concerned);
    return [...concerned].filter(({ fetched }) =>
      fetched?.entries.some((entry) => this.#isLost(entry)),
    );
  }

  #isLost({ txid, proved }: VerifiedEntry): boolean {
    return proved && this.#held.proofOf(txid) === undefined;
  }

  /** Tells the scripts anew, and those that what happens to transactions of ours concerns. */
  #tellAnew(scripts: Iterable<WatchedScript>): void {
    const ours = this.#scriptsOf(this.#own.review(this.#options.clock()));
    for (const script of new Set([...scripts, ...ours])) this.#tell(script);
  }

  #tell(script: WatchedScript): void {
    const { fetched, told: before } = script;
    if (fetched === undefined) return;
    const told = tellHistory(fetched, { held: this.#held, own: this.#own });
    script.told = told;
    this.#addProofs(script, fetched, told);
    if (before === undefined || !isSameHistory(before, told))
      this.#options.onChange(script, before);
  }

  /** A transaction of ours that a block holds is part of the history from now on. */
  #addProofs(script: WatchedScript, fetched: FetchedHistory, told: FetchedHistory): void {
    const listed = new Set(fetched.entries.map(({ txid }) => txid));
    const gained = told.entries.filter(({ txid, proved }) => proved && !listed.has(txid));
    if (gained.length === 0) return;
    script.fetched = { ...fetched, entries: [...fetched.entries, ...gained] };
    this.#held.hold(script, gained);
  }

  #scriptsOf(scriptHashes: Iterable<string>): readonly WatchedScript[] {
    return [...scriptHashes].flatMap((scriptHash) => this.#options.scripts.get(scriptHash) ?? []);
  }
}
