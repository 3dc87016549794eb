import { join } from 'node:path';
import { Scope } from '../base/lifecycle.ts';
import { type Logger } from '../base/log.ts';
import { makePrivateDirectory } from '../io/durable-file.ts';
import { type VerifiedHistory } from '../lookup/lookup.ts';
import { type HeaderLookup } from '../lookup/verify-history.ts';
import { CacheWriter } from './cache-writer.ts';
import { decodeRecord, scriptHashOfRecord } from './history-record.ts';
import { openRecordFile } from './record-file.ts';
import { pagesFor } from './record-pages.ts';
import { isStillProved } from './still-proved.ts';

/** A history as it was last verified, and when a wallet and the schedule want it. */
export interface CachedHistory {
  readonly history: VerifiedHistory;
  /** When it is to be asked for again, in milliseconds since the Unix epoch. */
  readonly due: number;
  /** When a wallet last asked for it, in milliseconds since the Unix epoch. */
  readonly wantedAt: number;
}

/**
 * Verified histories by scripthash, in memory and in an encrypted file that outlives the bridge.
 * What it says of the chain was true when it was verified: whoever asks compares with the headers.
 */
export interface HistoryCache extends AsyncDisposable {
  readonly size: number;
  /**
   * Scripthashes known from the file whose proofs do not lead to the chain any more. They are not in
   * the cache: whoever opened it asks for them anew.
   */
  readonly lostAtOpening: readonly string[];
  get(scriptHash: string): CachedHistory | undefined;
  all(): Iterable<CachedHistory>;
  /** Takes the place of what was held for its scripthash, at once; written in the background. */
  put(entry: CachedHistory): void;
  delete(scriptHash: string): void;
  /** Resolves when all that was put or deleted until now survives a power cut, or cannot be written. */
  readonly saved: Promise<void>;
}

export interface HistoryCacheOptions {
  /** Private; made when there is none. */
  readonly directory: string;
  /** 32 bytes, from cache-key.ts. */
  readonly key: Uint8Array;
  /** The verified chain, brought up to date. */
  readonly headers: HeaderLookup;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Opens the cache of a wallet, or creates it. A disk that is full, or fails, stops no bridge: it says
 * so once, and what is new is written when the disk takes it again.
 * @throws UserError when the file was sealed with another key or is damaged.
 */
export async function openHistoryCache(options: HistoryCacheOptions): Promise<HistoryCache> {
  const { directory, key, headers, log, signal } = options;
  await using scope = new Scope();
  await makePrivateDirectory(directory);
  const path = join(directory, 'histories');
  const records = new Map<string, Uint8Array>();
  const file = scope.use(
    await openRecordFile({
      path,
      key,
      signal,
      onRecord: (record) => records.set(scriptHashOfRecord(record), record),
    }),
  );
  const { histories, lost, pages } = load(records, headers);
  const writer = new CacheWriter({ file, path, key, histories, pages, log });
  scope.move();
  return {
    get size() {
      return histories.size;
    },
    lostAtOpening: lost,
    get: (scriptHash) => histories.get(scriptHash),
    all: () => histories.values(),
    put(entry) {
      const { scriptHash } = entry.history;
      histories.set(scriptHash, entry);
      writer.changed(scriptHash);
    },
    delete(scriptHash) {
      if (histories.delete(scriptHash)) writer.changed(scriptHash);
    },
    get saved() {
      return writer.saved;
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

interface Loaded {
  readonly histories: Map<string, CachedHistory>;
  /** Scripthashes. */
  readonly lost: readonly string[];
  /** Of each record that is held. */
  readonly pages: Map<string, number>;
}

/** `records` is the newest one of each scripthash. */
function load(records: ReadonlyMap<string, Uint8Array>, headers: HeaderLookup): Loaded {
  const histories = new Map<string, CachedHistory>();
  const lost: string[] = [];
  const pages = new Map<string, number>();
  for (const [scriptHash, record] of records) {
    const entry = decodeRecord(record);
    if (entry === undefined) continue;
    pages.set(scriptHash, pagesFor(record.length));
    if (isStillProved(entry.history, headers)) histories.set(scriptHash, entry);
    else lost.push(scriptHash);
  }
  return { histories, lost, pages };
}
