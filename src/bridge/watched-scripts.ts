import {
  type LookupCallOptions,
  type VerifiedEntry,
  type VerifiedHistory,
} from '../lookup/lookup.ts';
import { type WatchStats } from './bridge-status.ts';
import { type BlockPlace } from './held-transactions.ts';

export interface Subscription {
  /** The status that a wallet is told first; rejects with `LookupError` when none can be had. */
  readonly first: Promise<string | null>;
  stop(): void;
}

/** What sessions see of the watch list: verified histories, shared by all wallets. */
export interface WatchedScripts {
  /**
   * A status is told when the history that has it is verified and held, so the two agree. `onStatus`
   * hears each that differs from the one before, as soon as there is a first.
   */
  subscribe(scriptHash: string, onStatus: (status: string | null) => void): Subscription;
  /** What is held, else what is fetched for it. @throws LookupError */
  history(scriptHash: string, options: LookupCallOptions): Promise<VerifiedHistory>;
  /** Of any history that is held. */
  entryOf(txid: string): VerifiedEntry | undefined;
  /** Of any history that is held, where a block has it in this place. */
  entryAt(place: BlockPlace): VerifiedEntry | undefined;
  /** A transaction that was broadcast through the bridge: unconfirmed in the histories it touches. */
  addOwn(raw: Uint8Array): void;
  stats(): WatchStats;
}
