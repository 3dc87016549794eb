import { type VerifiedHistory } from '../lookup/lookup.ts';

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
