/** That a transaction is in a block (spec/relay.md section 4.3). Hashes are hex in display order. */
export interface BlockProof {
  /** In the block, from 0. */
  readonly position: number;
  /** The hashes beside the way to the merkle root, deepest first: at most 30. */
  readonly branch: readonly string[];
  /** Unless the transaction is the coinbase itself. */
  readonly coinbase: CoinbaseSpine | undefined;
}

/**
 * The coinbase and the hashes beside its way up to where it meets the way of the transaction. It
 * shows with the fewest bytes that both are equally deep.
 */
export interface CoinbaseSpine {
  readonly txid: string;
  /** `meetingLevel(position)` hashes, deepest first. */
  readonly branch: readonly string[];
}

/**
 * The level at which the way of the transaction at this position (from 1) meets that of the coinbase:
 * the coinbase's hash at this level is the sibling that the branch of the transaction has there.
 */
export function meetingLevel(position: number): number {
  return 31 - Math.clz32(position);
}
