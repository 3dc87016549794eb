import { type VerifiedHistory } from '../lookup/lookup.ts';

/** What the wallets of one bridge may take together, and how it asks on their behalf. */
export interface WatchLimits {
  /** Scripts held. With a day for each place, it also bounds how many new ones are asked about. */
  readonly maxScripts: number;
  /** Memory for histories, as `bytesOf` estimates it. */
  readonly maxBytes: number;
  /** Questions under way at once: as many as three relays take of one client, 64 each. */
  readonly atOnce: number;
  /** Over which first questions are spread, to go out in random order. */
  readonly windowMs: number;
  /** How long a wallet waits for a first history: less than Electrum, which hangs up after 30 seconds. */
  readonly patienceMs: number;
}

export const DEFAULT_WATCH_LIMITS: WatchLimits = {
  maxScripts: 10_000,
  maxBytes: 200_000_000,
  atOnce: 192,
  windowMs: 1_500,
  patienceMs: 25_000,
};

/** What is parsed of a transaction, and its branch of 14 hashes in hex: an estimate. */
const TRANSACTION_BYTES = 3_000;

/** About what a history takes in memory. */
export function bytesOf(history: VerifiedHistory | undefined): number {
  const entries = history?.entries ?? [];
  return entries.reduce((sum, { raw }) => sum + TRANSACTION_BYTES + 2 * raw.length, 0);
}
