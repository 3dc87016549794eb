import { setMaxListeners } from 'node:events';
import { BoundedCache } from '../base/bounded-cache.ts';
import { type Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type Lookup, type LookupCallOptions, type VerifiedTransaction } from '../lookup/lookup.ts';
import { isWaiting } from './answers.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface TransactionLookupOptions {
  readonly watchList: Pick<WatchedScripts, 'entryOf'>;
  readonly lookup: Pick<Lookup, 'headers' | 'transaction'>;
  readonly clock: Clock;
}

interface Fetched {
  readonly found: VerifiedTransaction;
  readonly at: number;
  /** Of its block. */
  readonly blockHash: string | undefined;
}

const MAX_BYTES = 16_000_000;
/** So long a transaction that no block holds is believed to be still without one. */
const WAITING_MS = 300_000;

/** Transactions of the histories that are held, and others that wallets ask for: their parents. */
export class TransactionLookup implements AsyncDisposable {
  readonly #options: TransactionLookupOptions;
  readonly #fetched = new BoundedCache<Fetched>(MAX_BYTES, ({ found }) => found.raw.length);
  readonly #fetching = new Map<string, Promise<VerifiedTransaction>>();
  readonly #closing = new AbortController();

  constructor(options: TransactionLookupOptions) {
    this.#options = options;
    // Each question that is under way listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Asks outside only for what is in no history. @throws LookupError */
  async get(txid: string, { signal }: LookupCallOptions): Promise<VerifiedTransaction> {
    const held = this.#options.watchList.entryOf(txid) ?? this.#stillTrue(txid);
    if (held !== undefined) return held;
    let fetching = this.#fetching.get(txid);
    if (fetching === undefined) {
      fetching = this.#fetch(txid).finally(() => this.#fetching.delete(txid));
      this.#fetching.set(txid, fetching);
    }
    return await unlessAborted(fetching, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the bridge stops'));
    await Promise.allSettled(this.#fetching.values());
  }

  async #fetch(txid: string): Promise<VerifiedTransaction> {
    const { lookup, clock } = this.#options;
    const found = await lookup.transaction(txid, { signal: this.#closing.signal });
    const blockHash = isWaiting(found) ? undefined : lookup.headers.headerAt(found.height)?.hash;
    this.#fetched.set(txid, { found, at: clock(), blockHash });
    return found;
  }

  #stillTrue(txid: string): VerifiedTransaction | undefined {
    const { lookup, clock } = this.#options;
    const fetched = this.#fetched.get(txid);
    if (fetched === undefined) return undefined;
    const { found, at, blockHash } = fetched;
    const isTrue = isWaiting(found)
      ? clock() - at < WAITING_MS
      : lookup.headers.headerAt(found.height)?.hash === blockHash;
    return isTrue ? found : undefined;
  }
}
