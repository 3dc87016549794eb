import { concatBytes, MalformedBytesError } from '../base/bytes.ts';
import { openPage, type Page, PAGE_ROOM, sealPage } from './sealed-page.ts';

/** Where in a file of pages records go. */
export interface PlaceInFile {
  readonly fileKey: Uint8Array;
  /** The number of the first page, from 1: the head is page 0. All pages before it are on the disk. */
  readonly from: number;
}

/** How many pages a record of so many bytes takes. */
export function pagesFor(recordBytes: number): number {
  return Math.max(1, Math.ceil(recordBytes / PAGE_ROOM));
}

/** Each record on pages of its own, so that the file tells no length but its own. */
export function sealRecords(
  records: readonly Uint8Array[],
  { fileKey, from }: PlaceInFile,
): Uint8Array {
  const pages: Uint8Array[] = [];
  for (const record of records) {
    for (let page = 0; page < pagesFor(record.length); page += 1) {
      const rest = record.subarray(page * PAGE_ROOM);
      const text = { synced: from, left: rest.length, room: rest.subarray(0, PAGE_ROOM) };
      pages.push(sealPage(fileKey, from + pages.length, text));
    }
  }
  return concatBytes(...pages);
}

/**
 * Puts records together from the pages of a file, in order. What was being written when the machine
 * stopped may be torn: pages after the last one known to be on the disk need not open, and the
 * records end before them.
 */
export class RecordReader {
  readonly #fileKey: Uint8Array;
  #parts: Uint8Array[] = [];
  /** Of the record under way. */
  #bytesLeft = 0;
  #nextPage = 1;
  #synced = 0;
  #tornAt: number | undefined;
  /** The number of the first page after the last whole record. */
  end = 1;

  constructor(fileKey: Uint8Array) {
    this.#fileKey = fileKey;
  }

  /**
   * Takes the next page, and returns the record that ends with it, if one does.
   * @throws MalformedBytesError when a page that was on the disk is damaged, missing or out of place.
   */
  take(bytes: Uint8Array): Uint8Array | undefined {
    const number = this.#nextPage;
    this.#nextPage += 1;
    const page = openPage(this.#fileKey, bytes);
    if (page === undefined) this.#tornAt ??= number;
    else this.#synced = Math.max(this.#synced, page.synced);
    if (this.#tornAt !== undefined && this.#tornAt < this.#synced) {
      throw new MalformedBytesError(`page ${this.#tornAt} does not open`);
    }
    if (page === undefined) return undefined;
    if (page.number !== number) throw new MalformedBytesError(`page ${number} is another one`);
    return this.#tornAt === undefined ? this.#add(page) : undefined;
  }

  #add({ left, room }: Page): Uint8Array | undefined {
    if (this.#parts.length > 0 && left !== this.#bytesLeft) {
      throw new MalformedBytesError('a page of another record');
    }
    this.#parts.push(room.subarray(0, left));
    this.#bytesLeft = left - PAGE_ROOM;
    if (this.#bytesLeft > 0) return undefined;
    this.end = this.#nextPage;
    return concatBytes(...this.#parts.splice(0));
  }
}
