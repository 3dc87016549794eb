import type { Running } from '../base/lifecycle.ts';
import type { Address } from '../io/dial.ts';

export interface ChainTip {
  readonly height: number;
  /** Hex in display order. */
  readonly hash: string;
}

/** A regtest chain, however it is made, and an Electrum server over it. */
export interface ChainBackend extends Running {
  readonly electrum: Address;
  tip(): Promise<ChainTip>;
  /** Confirms the mempool in the first of the new blocks. The Electrum server knows them after. */
  mine(blocks: number): Promise<ChainTip>;
  /**
   * Pays so many satoshis and returns the txid. The Electrum server knows it after.
   * @throws UserError for a bad address, and when there is not enough.
   */
  pay(address: string, sats: bigint): Promise<string>;
  /**
   * Replaces the last blocks by one more empty ones; what they confirmed returns to the mempool. The
   * Electrum server knows them after.
   */
  reorg(depth: number): Promise<ChainTip>;
  /** Returns the txid. The Electrum server knows it after. @throws UserError with the reason when the chain refuses it. */
  broadcast(raw: Uint8Array): Promise<string>;
}

/** How many blocks make the first reward spendable. */
export const FIRST_BLOCKS = 101;
