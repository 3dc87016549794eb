import { vi } from 'vitest';
import { type Logger, silent } from '../src/base/log.ts';
import { unlessAborted } from '../src/base/unless-aborted.ts';
import { type CachedHistory, type HistoryCache } from '../src/bridge/history-cache.ts';
import { type WatchLimits } from '../src/bridge/watch-limits.ts';
import { openWatchList, type WatchList } from '../src/bridge/watch-list.ts';
import { type RegtestChain } from '../src/devnet/chain.ts';
import { type PaymentOutput, signPayment } from '../src/devnet/purse.ts';
import { type Lookup, type VerifiedHeaders, type VerifiedHistory } from '../src/lookup/lookup.ts';
import { type Schedule, steadySchedule } from '../src/lookup/schedule.ts';
import { headersOf, testScript, verifiedHistory } from './chain-histories.ts';

const HOUR_MS = 3_600_000;

/** A lookup that answers from a chain, and keeps what it was asked. */
export class ChainLookup implements Pick<Lookup, 'history' | 'headers' | 'watch'> {
  /** Scripthashes, in the order in which they were asked about. */
  readonly asked: string[] = [];
  readonly headers: VerifiedHeaders;
  /** What it answers; throws what it fails with. */
  answer: (scriptHash: string) => VerifiedHistory;
  /** How long an answer takes, in milliseconds. */
  delayMs = 0;
  underWay = 0;
  mostUnderWay = 0;
  watch?: Lookup['watch'];
  readonly #hints = new Map<string, () => void>();

  constructor(chain: RegtestChain) {
    this.answer = (scriptHash) => verifiedHistory(chain, scriptHash);
    this.headers = followed(chain);
  }

  async history(scriptHash: string, { signal }: { signal: AbortSignal }): Promise<VerifiedHistory> {
    this.asked.push(scriptHash);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const delay = new Promise((resolve) => setTimeout(resolve, this.delayMs));
    await unlessAborted(delay, signal).finally(() => (this.underWay -= 1));
    return this.answer(scriptHash);
  }

  /** From here on it tells of changes, as the user's own server does. */
  giveHints(chain: RegtestChain): void {
    this.watch = (scriptHash, onHint) => {
      this.#hints.set(scriptHash, onHint);
      return () => this.#hints.delete(scriptHash);
    };
    chain.subscribe(({ scriptHashes }) => {
      for (const scriptHash of scriptHashes) this.#hints.get(scriptHash)?.();
    });
  }

  get hinted(): number {
    return this.#hints.size;
  }
}

/** Keeps histories while the test runs. */
export class MemoryCache implements HistoryCache {
  readonly held = new Map<string, CachedHistory>();
  lostAtOpening: readonly string[] = [];
  readonly saved = Promise.resolve();

  get size(): number {
    return this.held.size;
  }

  get(scriptHash: string): CachedHistory | undefined {
    return this.held.get(scriptHash);
  }

  all(): Iterable<CachedHistory> {
    return this.held.values();
  }

  put(entry: CachedHistory): void {
    this.held.set(entry.history.scriptHash, entry);
  }

  delete(scriptHash: string): void {
    this.held.delete(scriptHash);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.saved;
  }
}

export interface ListSettings {
  readonly lookup: ChainLookup;
  readonly cache?: HistoryCache;
  readonly schedule?: Schedule;
  readonly limits?: Partial<WatchLimits>;
  readonly log?: Logger;
}

/** A list on vitest's fake time: it asks nobody by itself for hours unless told otherwise. */
export function watchListOver(settings: ListSettings): WatchList {
  return openWatchList({
    cache: new MemoryCache(),
    schedule: steadySchedule({ meanMs: 4 * HOUR_MS, random: () => 0.5 }),
    clock: Date.now,
    log: silent,
    ...settings,
    limits: { windowMs: 0, ...settings.limits },
  });
}

/** A transaction that spends all that an address of the tests has now; the rest returns to it. */
export function spendAll(
  chain: RegtestChain,
  name: string,
  ...outputs: readonly PaymentOutput[]
): { readonly txid: string; readonly raw: Uint8Array } {
  const purse = testScript(name);
  return signPayment(purse, { coins: chain.ledger.unspent(purse.scriptHash), outputs });
}

/** Lets whatever is due within so many milliseconds happen. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function followed(chain: RegtestChain): VerifiedHeaders {
  const tip = (): { height: number; hash: string } => {
    const { height, hash } = chain.tip;
    return { height, hash };
  };
  return {
    ...headersOf(chain),
    get tip() {
      return tip();
    },
    rawAt: () => new Uint8Array(),
    reached: () => Promise.resolve(tip()),
    onTip: (listener) =>
      chain.subscribe((change) => {
        if (change.tip) listener(tip());
      }),
  };
}
