import type { Clock } from '../base/clock.ts';
import { type HistoryItem, historyStatus } from '../electrum/history-status.ts';
import type { Cursor } from '../query/cursor.ts';
import { encodeStatusBody } from '../query/bodies.ts';
import { encodeHistoryBody, type HistoryEntry, packHistory } from '../query/history-body.ts';
import type { HistoryQuery } from '../query/query.ts';
import { type Answer, QueryRefusedError, type Tip } from './answer.ts';
import { BoundedCache } from '../base/bounded-cache.ts';
import type { FollowedHeaders } from '../electrum/follow-headers.ts';
import type { Target } from './target.ts';

/** A longer history is refused: it would keep the target busy for one address (spec/relay.md section 7). */
const MAX_HISTORY_ENTRIES = 2000;
/** About as many transactions with proofs as one page holds. */
const FETCHED_TOGETHER = 8;
/** Histories of several pages are kept while their client reads them. */
const KEPT_ENTRIES = 100_000;
const KEPT_MS = 60_000;
const ATTEMPTS = 3;

interface Snapshot {
  readonly tip: Tip;
  readonly items: readonly HistoryItem[];
  readonly status: string | null;
  readonly takenAt: number;
}

interface HistoryAnswersOptions {
  readonly target: Target;
  readonly headers: FollowedHeaders;
  readonly clock: Clock;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

/** Answers HISTORY and STATUS (spec/relay.md sections 4.3 and 4.5). */
export class HistoryAnswers {
  readonly #target: Target;
  readonly #headers: FollowedHeaders;
  readonly #clock: Clock;
  readonly #kept = new BoundedCache<Snapshot>(KEPT_ENTRIES, ({ items }) => items.length);

  constructor({ target, headers, clock }: HistoryAnswersOptions) {
    this.#target = target;
    this.#headers = headers;
    this.#clock = clock;
  }

  async status(scriptHash: string, { signal }: CallOptions): Promise<Answer> {
    const { tip, items, status } = await this.#take(scriptHash, signal);
    return { tip, body: encodeStatusBody({ status, total: items.length }) };
  }

  async page(query: HistoryQuery, { signal }: CallOptions): Promise<Answer> {
    const { scriptHash, cursor } = query;
    const snapshot = await this.#snapshot(scriptHash, cursor, signal);
    const { tip, items, status } = snapshot;
    const first = cursor?.index ?? 0;
    if (first > items.length) throw new QueryRefusedError('CURSOR_STALE');
    const entries = await this.#fill(query, items.slice(first), signal);
    // Proofs of a chain that came meanwhile would refute what is said as of this tip.
    this.#checkCurrent(tip);
    const body = encodeHistoryBody({ total: items.length, first, entries, status });
    const next = first + entries.length;
    if (next === items.length) return { tip, body };
    this.#kept.set(keyOf(scriptHash, tip.hash), snapshot);
    return { tip, body, cursor: { tipHash: tip.hash, index: next } };
  }

  async #fill(
    { proofs, raw }: HistoryQuery,
    items: readonly HistoryItem[],
    signal: AbortSignal,
  ): Promise<readonly HistoryEntry[]> {
    const entryOf = async (item: HistoryItem): Promise<HistoryEntry> => {
      const [proof, bytes] = await Promise.all([
        proofs && item.height > 0 ? this.#target.proof(item, { signal }) : undefined,
        raw ? this.#target.raw(item.txid, { signal }) : undefined,
      ]);
      return { ...item, proof, raw: bytes };
    };
    if (!proofs && !raw) return packHistory(items.map(withoutExtras));
    const entries: HistoryEntry[] = [];
    while (entries.length < items.length) {
      const chunk = items.slice(entries.length, entries.length + FETCHED_TOGETHER);
      entries.push(...(await Promise.all(chunk.map(entryOf))));
      const page = packHistory(entries);
      if (page.length < entries.length) return page;
    }
    return packHistory(entries);
  }

  /** A page after the first is cut from the same history as the first. */
  async #snapshot(
    scriptHash: string,
    cursor: Cursor | undefined,
    signal: AbortSignal,
  ): Promise<Snapshot> {
    if (cursor === undefined) return await this.#take(scriptHash, signal);
    const kept = this.#kept.get(keyOf(scriptHash, cursor.tipHash));
    const isFresh = kept !== undefined && this.#clock() - kept.takenAt < KEPT_MS;
    const snapshot = isFresh ? kept : await this.#take(scriptHash, signal);
    if (snapshot.tip.hash !== cursor.tipHash) throw new QueryRefusedError('CURSOR_STALE');
    return snapshot;
  }

  #checkCurrent({ height, hash }: Tip): void {
    if (this.#headers.chain.headerAt(height)?.hash === hash) return;
    throw new QueryRefusedError('CURSOR_STALE');
  }

  /**
   * The tip is read before the history, so that the signed claim "complete up to this block" holds
   * even when a block comes in between.
   */
  async #take(scriptHash: string, signal: AbortSignal): Promise<Snapshot> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { tip } = this.#headers.chain;
      const items = await this.#target.history(scriptHash, { signal });
      if (items.length > MAX_HISTORY_ENTRIES) throw new QueryRefusedError('HISTORY_TOO_LONG');
      const highest = items.reduce((height, item) => Math.max(height, item.height), 0);
      if (highest <= tip.height) {
        return { tip, items, status: historyStatus(items), takenAt: this.#clock() };
      }
      await this.#headers.reach(highest, { signal });
    }
    throw new QueryRefusedError('NOT_SYNCED');
  }
}

function withoutExtras(item: HistoryItem): HistoryEntry {
  return { ...item, proof: undefined, raw: undefined };
}

function keyOf(scriptHash: string, tipHash: string): string {
  return `${scriptHash}/${tipHash}`;
}
