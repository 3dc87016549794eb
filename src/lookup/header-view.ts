import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { type HeaderStore } from '../electrum/header-store.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { type ChainTip, type VerifiedHeaders } from './lookup.ts';

export interface HeaderSyncCall {
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

export interface HeaderViewOptions {
  readonly store: Pick<HeaderStore, 'chain' | 'save'>;
  /** Fetches and checks what is new. */
  readonly sync: (call: HeaderSyncCall) => Promise<unknown>;
  /** Resolves when it is time to look again. Rejects when aborted, and only then. */
  readonly news: (signal: AbortSignal) => Promise<unknown>;
  /** Told how far the verified chain reaches, as it grows. */
  readonly onProgress?: ((tip: ChainTip) => void) | undefined;
  /** Told why the chain could not be brought up to date. It is tried again. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Sources may hear of a block a little later than who speaks of it. */
const TRIES = 3;
const PAUSE_MS = 1_000;

/** The verified header chain: followed from the start on, written down as it grows. */
export class HeaderView implements VerifiedHeaders, AsyncDisposable {
  readonly #options: HeaderViewOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(tip: ChainTip) => void>();
  readonly #following: Promise<void>;
  readonly #reached: Promise<void>;
  #setReached: () => void = () => undefined;
  #isReached = false;
  #told: string | undefined;
  #syncing: Promise<unknown> | undefined;
  #saving: Promise<void> | undefined;

  constructor(options: HeaderViewOptions) {
    this.#options = options;
    this.#reached = new Promise((resolve) => (this.#setReached = resolve));
    this.#following = this.#follow();
  }

  get tip(): ChainTip {
    const { height, hash } = this.#options.store.chain.tip;
    return { height, hash };
  }

  headerAt(height: number): BlockHeader | undefined {
    return this.#options.store.chain.headerAt(height);
  }

  rawAt(start: number, count: number): Uint8Array {
    return this.#options.store.chain.rawAt(start, count);
  }

  async reached(signal: AbortSignal): Promise<ChainTip> {
    await unlessAborted(this.#reached, signal);
    return this.tip;
  }

  onTip(listener: (tip: ChainTip) => void): () => void {
    const own = (tip: ChainTip): void => {
      listener(tip);
    };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Looks for what is new now. Callers share one run. Rejects as the sources do. */
  async sync(signal: AbortSignal): Promise<void> {
    this.#syncing ??= this.#run();
    await unlessAborted(this.#syncing, signal);
  }

  /** As `sync`, unless a run has succeeded already. */
  async syncOnce(signal: AbortSignal): Promise<void> {
    if (!this.#isReached) await this.sync(signal);
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
    await this.#following;
    await this.#syncing?.catch(() => undefined);
    await this.#saving;
    await this.#options.store.save();
  }

  /** Whoever needs the chain meets the failures of a run in a run of its own. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.sync(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#options.onTrouble?.(error);
      });
      await this.#options.news(signal).catch(() => undefined);
    }
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
      this.#tell();
      this.#options.onProgress?.(this.tip);
    };
    await this.#options.sync({ signal: this.#closing.signal, onProgress });
    this.#isReached = true;
    this.#setReached();
    this.#save();
  }

  #tell(): void {
    const { tip } = this;
    if (tip.hash === this.#told) return;
    this.#told = tip.hash;
    for (const listener of this.#listeners) listener(tip);
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
