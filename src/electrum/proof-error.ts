/** Why an answer is refused although it was well formed. */
export type ProofCode =
  | 'bad-proof-of-work'
  | 'bad-retarget'
  | 'bad-time'
  | 'unknown-parent'
  | 'less-work'
  | 'bad-merkle-root'
  | 'branch-too-long'
  | 'inner-node-is-transaction'
  | 'left-sibling-repeats'
  | 'position-left-over'
  | 'coinbase-depth'
  | 'proof-missing'
  | 'unknown-block'
  | 'not-a-transaction'
  | 'transaction-of-64-bytes'
  | 'txid-mismatch'
  | 'not-of-this-script'
  | 'status-mismatch'
  | 'order'
  | 'stale-tip'
  | 'unknown-tip';

/** What was said does not follow from the chain with the most work. */
export class ProofError extends Error {
  override readonly name = 'ProofError';
  readonly code: ProofCode;

  constructor(code: ProofCode, message: string) {
    super(message);
    this.code = code;
  }
}
