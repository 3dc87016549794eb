import { createHash } from 'node:crypto';
import { concatBytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { BROADCAST_PART_BYTES, MAX_TRANSACTION_BYTES } from './limits.ts';
import type { BroadcastQuery } from './query.ts';

// A transaction to broadcast goes in parts (spec/relay.md section 4.7).

/** @throws RangeError when the transaction is empty or too long to be relayed by anyone. */
export function splitUpload(raw: Uint8Array): readonly BroadcastQuery[] {
  if (raw.length === 0 || raw.length > MAX_TRANSACTION_BYTES) throw new RangeError('length');
  const upload = uploadOf(raw);
  const of = Math.ceil(raw.length / BROADCAST_PART_BYTES);
  return Array.from({ length: of }, (_, part) => {
    const start = part * BROADCAST_PART_BYTES;
    const bytes = raw.subarray(start, start + BROADCAST_PART_BYTES);
    return { op: 'BROADCAST', upload, part, of, bytes };
  });
}

/** How an upload stands after one more part. */
export type UploadProgress =
  | { readonly state: 'waiting'; readonly held: number }
  | { readonly state: 'whole'; readonly held: number; readonly raw: Uint8Array }
  /** All parts are there and are not what the upload is named after: they are forgotten. */
  | { readonly state: 'corrupt' };

export interface UploadsOptions {
  readonly clock: Clock;
  readonly maxParts?: number;
}

interface Upload {
  readonly parts: Map<number, Uint8Array>;
  readonly startedAt: number;
}

const KEPT_MS = 10 * 60_000;
const MAX_PARTS_HELD = 8192;

/**
 * Uploads that are not whole yet. What a client cannot finish in ten minutes is forgotten; when too
 * many parts wait, so is the upload that waits longest. Memory: 1800 bytes for each part.
 */
export class Uploads {
  readonly #clock: Clock;
  readonly #maxParts: number;
  /** Oldest first. */
  readonly #uploads = new Map<string, Upload>();
  #partsHeld = 0;

  constructor({ clock, maxParts = MAX_PARTS_HELD }: UploadsOptions) {
    this.#clock = clock;
    this.#maxParts = maxParts;
  }

  add({ upload, part, of, bytes }: BroadcastQuery): UploadProgress {
    this.#forgetOld();
    // Parts that do not agree on how many there are belong to different uploads.
    const key = `${upload}/${of}`;
    const { parts } = this.#enter(key);
    if (!parts.has(part)) {
      parts.set(part, Uint8Array.from(bytes));
      this.#partsHeld += 1;
    }
    if (parts.size < of) {
      this.#makeRoom();
      return { state: 'waiting', held: parts.size };
    }
    this.#forget(key);
    const inOrder = Array.from({ length: of }, (_, index) => parts.get(index) ?? new Uint8Array(0));
    const raw = concatBytes(...inOrder);
    return uploadOf(raw) === upload ? { state: 'whole', held: of, raw } : { state: 'corrupt' };
  }

  #enter(key: string): Upload {
    const known = this.#uploads.get(key);
    if (known !== undefined) return known;
    const upload = { parts: new Map<number, Uint8Array>(), startedAt: this.#clock() };
    this.#uploads.set(key, upload);
    return upload;
  }

  #forgetOld(): void {
    const now = this.#clock();
    for (const [key, { startedAt }] of this.#uploads) {
      if (now - startedAt <= KEPT_MS) break;
      this.#forget(key);
    }
  }

  #makeRoom(): void {
    for (const key of this.#uploads.keys()) {
      if (this.#partsHeld <= this.#maxParts) break;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#partsHeld -= this.#uploads.get(key)?.parts.size ?? 0;
    this.#uploads.delete(key);
  }
}

function uploadOf(raw: Uint8Array): string {
  return toHex(createHash('sha256').update(raw).digest());
}
