import { type ChainTip, type Exposure } from '../lookup/lookup.ts';

/** How far a bridge has come and who knows what; no address, scripthash or txid is in it. */
export interface BridgeStatus {
  /** Connections that speak the Electrum protocol. */
  readonly wallets: number;
  /** Those, and the ones that have said nothing yet. */
  readonly connections: number;
  readonly watching: WatchStats;
  readonly exposure: Exposure;
  /** Of the verified chain. */
  readonly tip: ChainTip;
  /** Milliseconds since the fees were last heard; undefined when they never were. */
  readonly feesAgeMs: number | undefined;
}

export interface WatchStats {
  /** Scripts that wallets want to be told about. */
  readonly watched: number;
  /** Scripts whose verified history is held. */
  readonly cached: number;
  /** Scripts whose first history is awaited. */
  readonly waiting: number;
  /** The newest history that was verified: up to which block, and when (Unix milliseconds). */
  readonly lastProof: { readonly tip: ChainTip; readonly at: number } | undefined;
}
