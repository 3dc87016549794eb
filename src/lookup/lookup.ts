import { type BlockHeader } from '../bitcoin/block-header.ts';
import { type Transaction } from '../bitcoin/transaction.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type CoinbaseSpine } from '../electrum/block-proof.ts';
import { type LookupError } from './fault.ts';

/** A transaction whose raw bytes have its txid. */
export interface VerifiedTransaction {
  readonly txid: string;
  /**
   * 0 in the mempool, -1 there with an unconfirmed parent. A transaction asked for by its txid has 0
   * when the source shows no block that holds it.
   */
  readonly height: number;
  /** In its block; undefined in the mempool. */
  readonly position: number | undefined;
  /** True when a block of the verified header chain holds it. */
  readonly proved: boolean;
  /** When proved: the hashes beside its way to the block's merkle root, deepest first, hex in display order. */
  readonly branch: readonly string[] | undefined;
  readonly raw: Uint8Array;
  readonly transaction: Transaction;
}

/** One of a history: it pays or spends the script. */
export type VerifiedEntry = VerifiedTransaction;

/** One that was asked for by its txid, with all that it takes to prove it to others. */
export interface FoundTransaction extends VerifiedTransaction {
  /** When proved and not at position 0: shows that the branch is as long as it should be. */
  readonly coinbase: CoinbaseSpine | undefined;
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
 * The valid chain of headers with the most work that the sources know. It is brought up to date from
 * the opening of the lookup until that is disposed of, also while nobody asks.
 */
export interface VerifiedHeaders {
  readonly tip: ChainTip;
  headerAt(height: number): BlockHeader | undefined;
  /** A copy of up to `count` headers of 80 bytes; fewer where the chain ends, none beyond it. */
  rawAt(start: number, count: number): Uint8Array;
  /**
   * Resolves once the chain was up to date a first time, however often that fails before. Rejects
   * with the signal's reason.
   */
  reached(signal: AbortSignal): Promise<ChainTip>;
  /** Tells each new tip from then on, also one that replaces blocks. Returns how to stop. */
  onTip(listener: (tip: ChainTip) => void): () => void;
}

/** How much of a wallet each one outside can have learnt. */
export interface Exposure {
  /** Those who were asked about addresses: gateways by node id, or the user's own server by its onion. */
  readonly gateways: readonly { readonly name: string; readonly addresses: number }[];
  readonly relays: readonly RelayExposure[];
}

export interface RelayExposure {
  readonly nodeId: NodeId;
  /** How many addresses are asked about through it. It sees none of them, only that someone asks. */
  readonly addresses: number;
  /**
   * How many links of clients it said it had when the newest link to it was opened, rounded down to a
   * power of two: the relay's claim, which nobody can check. Undefined when none was opened.
   */
  readonly clients: number | undefined;
}

/**
 * Answers about the chain that are checked before they are returned. All methods reject with
 * `LookupError`, or with the signal's reason when aborted, and may run concurrently.
 */
export interface Lookup extends AsyncDisposable {
  /** `scriptHash` as in the Electrum protocol: 64 hexadecimal characters. */
  history(scriptHash: string, options: LookupCallOptions): Promise<VerifiedHistory>;
  /**
   * Rejects with `not-found` when the source says that there is no such transaction. `txid`: 64
   * hexadecimal characters.
   */
  transaction(txid: string, options: LookupCallOptions): Promise<FoundTransaction>;
  /**
   * Tells when the history of a script may have changed since, until the function that is returned is
   * called. It is a hint to ask, never an answer, and no promise: what the source does not tell is found by asking now and
   * then. Only where the source is the user's own server.
   */
  watch?(scriptHash: string, onHint: () => void): () => void;
  /**
   * Resolves to the txid when the transaction was taken into a mempool. Relayed: when it came to another
   * node too, which takes some seconds; rejects with `not-seen` when that is not so in time, although it
   * may be on its way, and with `no-gateway` when nobody could be shown it.
   */
  broadcast(raw: Uint8Array, options: LookupCallOptions): Promise<string>;
  /** By rising target. */
  fees(options: LookupCallOptions): Promise<readonly FeeRate[]>;
  readonly headers: VerifiedHeaders;
  /**
   * The mean time between two questions about one address that all clients keep to, so that theirs
   * look alike; undefined where the only one who sees them is the user's own server.
   */
  readonly pollMeanMs: number | undefined;
  /**
   * Relayed: of every address that the wallet has asked about and not forgotten. Direct: since the
   * opening.
   */
  exposure(): Exposure;
  /** What went wrong on the way to answers, the newest last, with the nodes at fault. Bounded. */
  readonly faults: readonly LookupError[];
}
