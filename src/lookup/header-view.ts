import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock } from '../base/clock.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { type HeaderStore } from '../electrum/header-store.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { type ChainTip } from './lookup.ts';
import { type HeaderLookup } from './verify-history.ts';

export interface HeaderSyncCall {
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

export interface HeaderViewOptions {
  readonly store: Pick<HeaderStore, 'chain' | 'save'>;
  /** Fetches and checks what is new. */
  readonly sync: (call: HeaderSyncCall) => Promise<unknown>;
  readonly clock: Clock;
  /** Told how far the verified chain reaches, as it grows. */
  readonly onProgress?: ((tip: ChainTip) => void) | undefined;
}

/** Sources may hear of a block a little later than who speaks of it. */
const TRIES = 3;
const PAUSE_MS = 1_000;
/** So often the chain is brought up to date although nobody speaks of a new block. */
const FRESH_MS = 60_000;

/** The verified header chain: brought up to date when it is needed, written down as it grows. */
export class HeaderView implements HeaderLookup, AsyncDisposable {
  readonly #options: HeaderViewOptions;
  readonly #closing = new AbortController();
  #syncing: Promise<unknown> | undefined;
  #syncedAt = -Infinity;
  #saving: Promise<void> | undefined;

  constructor(options: HeaderViewOptions) {
    this.#options = options;
  }

  headerAt(height: number): BlockHeader | undefined {
    return this.#options.store.chain.headerAt(height);
  }

  get tip(): ChainTip {
    const { height, hash } = this.#options.store.chain.tip;
    return { height, hash };
  }

  /** Callers share one run. Rejects as `sync` does. */
  async sync(signal: AbortSignal): Promise<void> {
    this.#syncing ??= this.#run();
    await unlessAborted(this.#syncing, signal);
  }

  /** Starts a run when the last one is long ago. Its errors are those of the next one, too. */
  keepFresh(): void {
    if (this.#options.clock() - this.#syncedAt < FRESH_MS) return;
    this.#syncing ??= this.#run();
  }

  /**
   * The header of a block that somebody says is the newest.
   * @throws ProofError `unknown-tip` when the chain with the most work does not have it.
   */
  async reach({ height, hash }: ChainTip, signal: AbortSignal): Promise<BlockHeader> {
    for (let attempt = 0; ; attempt++) {
      const header = this.headerAt(height);
      if (header?.hash === hash) return header;
      if (attempt === TRIES || (attempt > 0 && header !== undefined)) {
        throw new ProofError('unknown-tip', 'the tip is not in the chain with the most work');
      }
      if (attempt > 0) await sleep(PAUSE_MS, undefined, { signal });
      await this.sync(signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#syncing?.catch(() => undefined);
    await this.#saving;
    await this.#options.store.save();
  }

  #run(): Promise<unknown> {
    const run = this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    run.catch(() => undefined);
    return run;
  }

  async #sync(): Promise<void> {
    const onProgress = (): void => {
      this.#save();
      this.#options.onProgress?.(this.tip);
    };
    await this.#options.sync({ signal: this.#closing.signal, onProgress });
    this.#syncedAt = this.#options.clock();
    this.#save();
  }

  /** One write at a time. What comes meanwhile, or cannot be written, is in the next one. */
  #save(): void {
    this.#saving ??= this.#options.store
      .save()
      .catch(() => undefined)
      .finally(() => {
        this.#saving = undefined;
      });
  }
}
