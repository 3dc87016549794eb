import { messageOf } from '../base/errors.ts';
import { type Logger } from '../base/log.ts';
import { type CachedHistory } from './history-cache.ts';
import { encodeRecord, isDropped, scriptHashOfRecord } from './history-record.ts';
import { type RecordFile, rewriteRecordFile } from './record-file.ts';
import { pagesFor } from './record-pages.ts';

export interface CacheWriterOptions {
  /** Owned by the writer from here on. */
  readonly file: RecordFile;
  readonly path: string;
  readonly key: Uint8Array;
  /** What is to be in the file; others change it. */
  readonly histories: ReadonlyMap<string, CachedHistory>;
  /** How many pages of the file each of them takes; the writer keeps it. */
  readonly pages: Map<string, number>;
  readonly log: Logger;
}

/** So many records are written and synced at a time. */
const BATCH = 32;
/** The file is written anew when it is so many times as long as what it is to hold. */
const MAX_GROWTH = 2;
const SMALL_PAGES = 256;
const HEAD_PAGES = 1;

/** Writes what changes to the file of a cache, one write at a time. */
export class CacheWriter implements AsyncDisposable {
  readonly #options: CacheWriterOptions;
  readonly #waiting = new Set<string>();
  #file: RecordFile;
  #livePages = HEAD_PAGES;
  /** Pages of the file when there was no room for two of them. */
  #noRoomAt = 0;
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(options: CacheWriterOptions) {
    this.#options = options;
    this.#file = options.file;
    for (const pages of options.pages.values()) this.#livePages += pages;
  }

  /** To be called after every change. */
  changed(scriptHash: string): void {
    this.#waiting.add(scriptHash);
    this.#writing ??= this.#write();
  }

  /** Resolves when the changes until now survive a power cut, or could not be written. */
  get saved(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#write();
    await this.#file[Symbol.asyncDispose]();
  }

  /** Never rejects: what could not be written is tried again with the next change. */
  async #write(): Promise<void> {
    try {
      while (this.#waiting.size > 0) {
        await this.#append([...this.#waiting].slice(0, BATCH));
        if (this.#isOvergrown) await this.#rewrite();
        if (this.#failing) this.#options.log.info('the histories can be written again');
        this.#failing = false;
      }
    } catch (error) {
      const { log } = this.#options;
      const what = 'the histories cannot be written: a restart will have to ask for them again';
      if (!this.#failing) log.warn(what, { error: messageOf(error) });
      this.#failing = true;
    }
    this.#writing = undefined;
  }

  async #append(scriptHashes: readonly string[]): Promise<void> {
    for (const scriptHash of scriptHashes) this.#waiting.delete(scriptHash);
    const records = scriptHashes.map((scriptHash) => this.#recordOf(scriptHash));
    try {
      await this.#file.append(records);
      for (const record of records) this.#count(record);
    } catch (error) {
      for (const scriptHash of scriptHashes) this.#waiting.add(scriptHash);
      throw error;
    }
  }

  #count(record: Uint8Array): void {
    const { pages } = this.#options;
    const scriptHash = scriptHashOfRecord(record);
    this.#livePages -= pages.get(scriptHash) ?? 0;
    pages.delete(scriptHash);
    if (isDropped(record)) return;
    pages.set(scriptHash, pagesFor(record.length));
    this.#livePages += pagesFor(record.length);
  }

  get #isOvergrown(): boolean {
    // Not at every write where there is no room for two files.
    const least = Math.max(this.#livePages, this.#noRoomAt);
    return this.#file.pages > Math.max(SMALL_PAGES, MAX_GROWTH * least);
  }

  async #rewrite(): Promise<void> {
    const { path, key } = this.#options;
    const old = this.#file;
    this.#noRoomAt = old.pages;
    this.#file = await rewriteRecordFile({ path, key, batches: this.#batches() });
    this.#noRoomAt = 0;
    await old[Symbol.asyncDispose]();
  }

  *#batches(): Generator<Uint8Array[]> {
    const scriptHashes = [...this.#options.histories.keys()];
    for (let from = 0; from < scriptHashes.length; from += BATCH) {
      const batch = scriptHashes.slice(from, from + BATCH);
      yield batch.map((scriptHash) => this.#recordOf(scriptHash));
    }
  }

  #recordOf(scriptHash: string): Uint8Array {
    return encodeRecord(scriptHash, this.#options.histories.get(scriptHash));
  }
}
