/** Why a descriptor, a vote, a consensus or a key was refused (spec/directory.md section 8). */
export type DirectoryErrorCode =
  | 'malformed'
  | 'too-large'
  | 'duplicate-line'
  | 'weak-key'
  | 'wrong-node-id'
  | 'wrong-digest'
  | 'wrong-network'
  | 'bad-signature'
  | 'bad-onion-signature'
  | 'unsigned'
  | 'duplicate-signature'
  | 'too-few-signatures'
  | 'duplicate-node'
  | 'not-yet-valid'
  | 'expired'
  | 'rolled-back'
  | 'gap'
  | 'forked'
  | 'log-forked'
  | 'unwitnessed'
  | 'swapped-key'
  | 'unknown-authority'
  | 'unknown-signer'
  | 'wrong-slot'
  | 'late'
  | 'equivocated'
  | 'no-equivocation'
  | 'bond-certificate'
  | 'bond-not-locked'
  | 'bond-unproved'
  | 'replayed'
  | 'wrong-key-epoch'
  | 'onion-taken'
  | 'one-sided-family'
  | 'unknown-node'
  | 'full'
  | 'busy'
  | 'unknown-kind'
  | 'unavailable';

/** Something of the directory was refused. */
export class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
  readonly code: DirectoryErrorCode;

  constructor(code: DirectoryErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
