import { setMaxListeners } from 'node:events';
import { unlessAborted } from '../base/unless-aborted.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { type Lookup, type LookupCallOptions } from '../lookup/lookup.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface BroadcastsOptions {
  readonly lookup: Pick<Lookup, 'broadcast'>;
  readonly watchList: Pick<WatchedScripts, 'addOwn'>;
}

/**
 * Sends the wallets' transactions. One that was begun is sent although its wallet loses patience and
 * connects again, as a server would; who sends it a second time meanwhile waits for the same end.
 */
export class Broadcasts implements AsyncDisposable {
  readonly #options: BroadcastsOptions;
  readonly #sending = new Map<string, Promise<string>>();
  readonly #closing = new AbortController();

  constructor(options: BroadcastsOptions) {
    this.#options = options;
    // Each transaction that is under way listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Resolves to the txid. @throws LookupError; MalformedBytesError when it is no transaction. */
  async send(raw: Uint8Array, { signal }: LookupCallOptions): Promise<string> {
    const txid = txidOf(raw);
    let sending = this.#sending.get(txid);
    if (sending === undefined) {
      sending = this.#send(raw).finally(() => this.#sending.delete(txid));
      this.#sending.set(txid, sending);
    }
    return await unlessAborted(sending, signal);
  }

  /** Gives up what is not sent yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the bridge stops'));
    await Promise.allSettled(this.#sending.values());
  }

  async #send(raw: Uint8Array): Promise<string> {
    const { lookup, watchList } = this.#options;
    const txid = await lookup.broadcast(raw, { signal: this.#closing.signal });
    watchList.addOwn(raw);
    return txid;
  }
}
