import { MalformedBytesError } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { removeIfPresent, renameDurably } from '../io/durable-file.ts';
import { type GrowingFile, openGrowingFile } from '../io/growing-file.ts';
import { RecordReader, sealRecords } from './record-pages.ts';
import { newHead, openHead, PAGE_BYTES } from './sealed-page.ts';

interface RecordFilePlace {
  readonly path: string;
  /** 32 bytes; each file seals with a key derived from it. */
  readonly key: Uint8Array;
}

interface ExistingRecordFile extends RecordFilePlace {
  /** Given every record of the file, the oldest first. */
  readonly onRecord: (record: Uint8Array) => void;
  readonly signal: AbortSignal;
}

interface NewRecordFile extends RecordFilePlace {
  /** Each is written and synced before the next is asked for. */
  readonly batches: Iterable<readonly Uint8Array[]>;
}

/** A file of sealed records that only grows. Disposing closes it. */
export interface RecordFile extends AsyncDisposable {
  /** Its length in pages of 4096 bytes, with the head. */
  readonly pages: number;
  /** Resolves when the records survive a power cut. A failure leaves the records before them. */
  append(records: readonly Uint8Array[]): Promise<void>;
}

const READ_PAGES = 64;

/**
 * Opens or creates a file of records, mode 0600. Without the key it tells how many pages there are,
 * and no more.
 * @throws UserError when it was sealed with another key, or when a page of it is damaged, missing or
 * out of place. An older copy of the whole file in its place does not show.
 */
export async function openRecordFile(options: ExistingRecordFile): Promise<RecordFile> {
  const file = await openGrowingFile(options.path);
  try {
    const begun = (await file.size()) >= PAGE_BYTES;
    return begun ? await readRecords(file, options) : await beginRecords(file, options.key);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** Puts a file of these records in the place of another: after a crash it is one or the other. */
export async function rewriteRecordFile(options: NewRecordFile): Promise<RecordFile> {
  const { path, key, batches } = options;
  const beside = `${path}.new`;
  const file = await openGrowingFile(beside);
  try {
    const records = await beginRecords(file, key);
    for (const batch of batches) await records.append(batch);
    await renameDurably(beside, path);
    return records;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    await removeIfPresent(beside);
    throw error;
  }
}

async function beginRecords(file: GrowingFile, key: Uint8Array): Promise<RecordFile> {
  const { head, fileKey } = newHead(key);
  await file.replaceEnd(0, head);
  return new SealedRecords(file, { fileKey, pages: 1 });
}

async function readRecords(
  file: GrowingFile,
  { path, key, onRecord, signal }: ExistingRecordFile,
): Promise<RecordFile> {
  const fileKey = openHead(await file.read(0, PAGE_BYTES), key);
  if (fileKey === undefined) {
    throw unreadable(path, 'was sealed with another key, or its beginning is damaged');
  }
  const reader = new RecordReader(fileKey);
  const pages = Math.floor((await file.size()) / PAGE_BYTES);
  for (let first = 1; first < pages; first += READ_PAGES) {
    const bytes = await file.read(first * PAGE_BYTES, READ_PAGES * PAGE_BYTES);
    signal.throwIfAborted();
    for (let offset = 0; offset + PAGE_BYTES <= bytes.length; offset += PAGE_BYTES) {
      const record = takePage(reader, bytes.subarray(offset, offset + PAGE_BYTES), path);
      if (record !== undefined) onRecord(record);
    }
  }
  return new SealedRecords(file, { fileKey, pages: reader.end });
}

function takePage(reader: RecordReader, bytes: Uint8Array, path: string): Uint8Array | undefined {
  try {
    return reader.take(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw unreadable(path, `is damaged: ${cause.message}`, cause);
  }
}

class SealedRecords implements RecordFile {
  readonly #file: GrowingFile;
  readonly #fileKey: Uint8Array;
  #pages: number;

  constructor(file: GrowingFile, { fileKey, pages }: { fileKey: Uint8Array; pages: number }) {
    this.#file = file;
    this.#fileKey = fileKey;
    this.#pages = pages;
  }

  get pages(): number {
    return this.#pages;
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    const bytes = sealRecords(records, { fileKey: this.#fileKey, from: this.#pages });
    // Also cuts off whatever an earlier write has left that failed.
    await this.#file.replaceEnd(this.#pages * PAGE_BYTES, bytes);
    this.#pages += bytes.length / PAGE_BYTES;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

function unreadable(path: string, what: string, cause?: unknown): UserError {
  return new UserError(`${path} ${what}`, {
    cause,
    hint: 'Put back the key or the file from a backup; or delete the file, and every address is asked for once more.',
  });
}
