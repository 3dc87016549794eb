import { type Transaction } from '../bitcoin/transaction.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type LookupError } from './fault.ts';

/** A transaction of a history whose raw bytes have its txid and touch the script. */
export interface VerifiedEntry {
  readonly txid: string;
  /** 0 in the mempool, -1 there with an unconfirmed parent. */
  readonly height: number;
  /** In its block; undefined in the mempool. */
  readonly position: number | undefined;
  /** True when a block of the verified header chain holds it. */
  readonly proved: boolean;
  readonly raw: Uint8Array;
  readonly transaction: Transaction;
}

export interface Unspent {
  readonly txid: string;
  readonly vout: number;
  /** Satoshi. */
  readonly value: bigint;
  readonly height: number;
  readonly proved: boolean;
}

export interface ChainTip {
  readonly height: number;
  /** Block hash in display order. */
  readonly hash: string;
}

/** Whoever answered: a gateway of the network or the user's own server. */
export type AnswerSource =
  | { readonly kind: 'gateway'; readonly nodeId: NodeId; readonly relay: NodeId }
  | { readonly kind: 'server'; readonly onion: string };

export interface VerifiedHistory {
  readonly scriptHash: string;
  /** Electrum's status, recomputed from the entries; null for an unused script. */
  readonly status: string | null;
  /** The block up to which the source says the history is complete. It is in the verified chain. */
  readonly tip: ChainTip;
  /** In Electrum's order: blocks first, then the mempool. */
  readonly entries: readonly VerifiedEntry[];
  /** Satoshi in outputs that are in blocks and not spent in blocks. */
  readonly confirmed: bigint;
  /** What the mempool adds to that or, negative, takes from it. */
  readonly unconfirmed: bigint;
  /** Outputs that neither a block nor the mempool spends. */
  readonly unspent: readonly Unspent[];
  readonly source: AnswerSource;
}

export interface FeeRate {
  /** Confirmation target. */
  readonly blocks: number;
  readonly satPerKvb: number;
}

export interface LookupCallOptions {
  readonly signal: AbortSignal;
}

/**
 * Answers about the chain that are checked before they are returned. All methods reject with
 * `LookupError`, or with the signal's reason when aborted, and may run concurrently.
 */
export interface Lookup extends AsyncDisposable {
  /** `scriptHash` as in the Electrum protocol: 64 hexadecimal characters. */
  history(scriptHash: string, options: LookupCallOptions): Promise<VerifiedHistory>;
  /** Resolves to the txid when the transaction was taken into a mempool. */
  broadcast(raw: Uint8Array, options: LookupCallOptions): Promise<string>;
  /** By rising target. */
  fees(options: LookupCallOptions): Promise<readonly FeeRate[]>;
  /** What went wrong on the way to answers, the newest last, with the nodes at fault. Bounded. */
  readonly faults: readonly LookupError[];
}
