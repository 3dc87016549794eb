import { type Clock } from '../base/clock.ts';
import { type Logger } from '../base/log.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { withDeadline } from '../electrum/deadline.ts';
import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import {
  type ChainTip,
  type Lookup,
  type LookupCallOptions,
  type VerifiedEntry,
  type VerifiedHistory,
} from '../lookup/lookup.ts';
import { NEVER, type Schedule } from '../lookup/schedule.ts';
import { Alarm } from './alarm.ts';
import { type Listener } from './audience.ts';
import { type WatchStats } from './bridge-status.ts';
import { Fetching } from './fetching.ts';
import { type BlockPlace } from './held-transactions.ts';
import { type HistoryCache } from './history-cache.ts';
import { isStillProved } from './still-proved.ts';
import { ToldHistories } from './told-histories.ts';
import { bytesOf, DEFAULT_WATCH_LIMITS, type WatchLimits } from './watch-limits.ts';
import { WatchedScript } from './watched-script.ts';
import { type Subscription, type WatchedScripts } from './watched-scripts.ts';

export interface WatchListOptions {
  /** Owned by the caller, as the cache is. */
  readonly lookup: Pick<Lookup, 'history' | 'headers' | 'watch'>;
  /** Over the chain of the same lookup, and used by nobody else. */
  readonly cache: HistoryCache;
  readonly schedule: Schedule;
  readonly limits?: Partial<WatchLimits>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Holds what wallets ask for and keeps it fresh. Disposing it ends all questions and subscriptions. */
export interface WatchList extends WatchedScripts, AsyncDisposable {}

const DAY_MS = 86_400_000;
/** What no wallet has wanted for so long is asked about no more, and forgotten. */
const FORGET_MS = 30 * DAY_MS;
/** How long a place is kept at least for a wallet that may come back. */
const KEEP_MS = DAY_MS;
/** A history that stays the same is written anew so often, with the time at which it was wanted. */
const WRITE_MS = DAY_MS;

/** Opens the list with what the cache holds: that is told at once, and refreshed by the schedule. */
export function openWatchList(options: WatchListOptions): WatchList {
  return new List(options);
}

class List implements WatchList {
  readonly #options: WatchListOptions;
  readonly #limits: WatchLimits;
  readonly #scripts = new Map<string, WatchedScript>();
  readonly #histories: ToldHistories;
  readonly #fetching: Fetching;
  readonly #stopTips: () => void;
  #bytes = 0;
  #lastProof: WatchStats['lastProof'];

  constructor(options: WatchListOptions) {
    const { headers } = options.lookup;
    this.#options = options;
    this.#limits = { ...DEFAULT_WATCH_LIMITS, ...options.limits };
    this.#histories = new ToldHistories({
      ...options,
      headers,
      scripts: this.#scripts,
      onChange: (script, before) => {
        this.#changed(script, before);
      },
    });
    this.#fetching = new Fetching({
      ...options,
      ...this.#limits,
      take: (script, history) => {
        this.#take(script, history);
      },
    });
    this.#open();
    this.#stopTips = headers.onTip((tip) => {
      this.#follow(tip);
    });
  }

  subscribe(scriptHash: string, onStatus: Listener): Subscription {
    const stopping = new AbortController();
    const first = this.#first(scriptHash, onStatus, stopping.signal);
    first.catch(() => undefined);
    const stop = (): void => {
      stopping.abort(new Error('the subscription was stopped'));
    };
    return { first, stop };
  }

  async history(scriptHash: string, { signal }: LookupCallOptions): Promise<VerifiedHistory> {
    return this.#historyOf(this.#want(scriptHash), signal);
  }

  entryOf(txid: string): VerifiedEntry | undefined {
    return this.#histories.entryOf(txid);
  }

  entryAt(place: BlockPlace): VerifiedEntry | undefined {
    return this.#histories.entryAt(place);
  }

  addOwn(raw: Uint8Array): void {
    this.#histories.addOwn(raw);
  }

  stats(): WatchStats {
    const now = this.#options.clock();
    const scripts = [...this.#scripts.values()];
    return {
      watched: scripts.filter((script) => script.isWanted(now)).length,
      cached: scripts.filter(({ told }) => told !== undefined).length,
      waiting: scripts.filter(({ audience }) => audience.isWaiting).length,
      lastProof: this.#lastProof,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTips();
    const stopped = this.#fetching[Symbol.asyncDispose]();
    for (const { alarm, audience, stopHints } of this.#scripts.values()) {
      alarm.clear();
      stopHints?.();
      audience.refuse(new Error('the bridge stops'));
    }
    await stopped;
  }

  #open(): void {
    const { cache, lookup, schedule, clock } = this.#options;
    const now = clock();
    const lost = [...cache.lostAtOpening];
    for (const { history, due, wantedAt } of [...cache.all()]) {
      // Between the opening of the cache and this one the chain may have gone on.
      if (!isStillProved(history, lookup.headers)) {
        lost.push(history.scriptHash);
        continue;
      }
      const script = this.#add(history.scriptHash);
      script.wantedAt = wantedAt;
      script.writtenAt = now;
      script.told = history;
      this.#weigh(script, history);
      script.alarm.noLaterThan(schedule.atOpening(now, due));
      this.#histories.take(script, history);
    }
    for (const scriptHash of lost) {
      const script = this.#add(scriptHash);
      script.wantedAt = now;
      this.#fetching.startAnew(script);
    }
  }

  async #first(
    scriptHash: string,
    onStatus: Listener,
    signal: AbortSignal,
  ): Promise<string | null> {
    const script = this.#want(scriptHash);
    const listener: Listener = (status) => {
      onStatus(status);
    };
    const leave = (): void => {
      script.wantedAt = this.#options.clock();
      script.audience.remove(listener);
    };
    script.audience.add(listener);
    signal.addEventListener('abort', leave, { once: true });
    try {
      const { status } = await this.#historyOf(script, signal);
      return status;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** What is held, or what is fetched next; not for longer than wallets wait. */
  async #historyOf(script: WatchedScript, signal: AbortSignal): Promise<VerifiedHistory> {
    const { told, failure, refusedUntil, audience } = script;
    if (told !== undefined) return told;
    if (failure !== undefined && this.#options.clock() < refusedUntil) throw failure;
    this.#fetching.start(script);
    const limits = { signal, timeoutMs: this.#limits.patienceMs };
    try {
      return await withDeadline(limits, (deadline) => audience.next(deadline));
    } catch (error) {
      if (error instanceof ElectrumClientError) throw script.failure ?? tooLate();
      throw error;
    }
  }

  /** A wallet wants it. @throws ElectrumRpcError when the list is full. */
  #want(scriptHash: string): WatchedScript {
    const { lookup, schedule, clock } = this.#options;
    const now = clock();
    const script = this.#scripts.get(scriptHash) ?? this.#admit(scriptHash);
    // What the cache held may be of long ago, however recently it was wanted.
    const isUnsure = !script.isWanted(now) || !Number.isFinite(script.askedAt);
    if (script.told !== undefined && isUnsure) {
      script.alarm.noLaterThan(schedule.whenWanted(now));
    }
    script.wantedAt = now;
    // Before the first question, so that no change goes by between the two.
    script.stopHints ??= lookup.watch?.(scriptHash, () => {
      this.#fetching.hint(script);
    });
    return script;
  }

  #admit(scriptHash: string): WatchedScript {
    if (this.#scripts.size >= this.#limits.maxScripts && !this.#makeRoom()) {
      throw noRoom('The bridge watches as many addresses as it can.');
    }
    return this.#add(scriptHash);
  }

  #add(scriptHash: string): WatchedScript {
    const { clock } = this.#options;
    const ring = (): void => {
      this.#fetching.ring(script);
    };
    const script: WatchedScript = new WatchedScript(scriptHash, new Alarm(clock, ring));
    this.#scripts.set(scriptHash, script);
    return script;
  }

  /** @throws ElectrumRpcError when it is a first history and there is no room for it. */
  #take(script: WatchedScript, history: VerifiedHistory): void {
    const now = this.#options.clock();
    while (script.told === undefined && this.#bytes + bytesOf(history) > this.#limits.maxBytes) {
      if (!this.#makeRoom()) throw noRoom('The bridge has no room for another history.');
    }
    this.#lastProof = { tip: history.tip, at: now };
    this.#histories.take(script, history);
    if (now - script.writtenAt >= WRITE_MS) this.#write(script);
  }

  /** Forgets what no wallet has wanted for longest. Returns whether there was anything to forget. */
  #makeRoom(): boolean {
    let longest: WatchedScript | undefined;
    let since = this.#options.clock() - KEEP_MS;
    for (const script of this.#scripts.values()) {
      if (!script.audience.isEmpty || script.wantedAt > since) continue;
      longest = script;
      since = script.wantedAt;
    }
    if (longest !== undefined) this.#forget(longest);
    return longest !== undefined;
  }

  #forget(script: WatchedScript): void {
    this.#scripts.delete(script.scriptHash);
    this.#options.cache.delete(script.scriptHash);
    this.#histories.forget(script);
    this.#bytes -= script.bytes;
    script.isForgotten = true;
    script.alarm.clear();
    script.stopHints?.();
  }

  /** Wallets are told another history from now on. */
  #changed(script: WatchedScript, before: VerifiedHistory | undefined): void {
    const { told, audience } = script;
    if (told === undefined) return;
    this.#weigh(script, told);
    this.#write(script);
    audience.tell(told, before);
  }

  #weigh(script: WatchedScript, history: VerifiedHistory): void {
    const bytes = bytesOf(history);
    this.#bytes += bytes - script.bytes;
    script.bytes = bytes;
  }

  #write(script: WatchedScript): void {
    const { told, wantedAt, alarm, audience } = script;
    if (told === undefined) return;
    const now = this.#options.clock();
    script.writtenAt = now;
    this.#options.cache.put({
      history: told,
      due: alarm.at === NEVER ? now : alarm.at,
      wantedAt: audience.isEmpty ? wantedAt : now,
    });
  }

  #follow(tip: ChainTip): void {
    const { schedule, clock } = this.#options;
    const now = clock();
    for (const script of this.#histories.followTo(tip)) this.#fetching.startAnew(script);
    for (const script of this.#scripts.values()) {
      if (script.isWanted(now)) {
        if (script.told !== undefined) script.alarm.noLaterThan(schedule.afterBlock(now));
      } else if (now - script.wantedAt >= FORGET_MS) {
        this.#forget(script);
      } else {
        script.stopHints?.();
        script.stopHints = undefined;
      }
    }
  }
}

function tooLate(): LookupError {
  const message = 'The history was not fetched in time. The bridge goes on trying.';
  return new LookupError('no-answer', message, { culprit: NOBODY });
}

function noRoom(message: string): ElectrumRpcError {
  return new ElectrumRpcError(RPC_CODE.badRequest, message);
}
