import { type LookupErrorCode, type SignedReply } from './fault.ts';

/**
 * Who can have caused a failure, as far as one attempt tells: `either` when the relay and the
 * gateway both can, which attempts through other relays settle.
 */
export type Suspect = 'relay' | 'gateway' | 'either';

export interface AttemptErrorOptions extends ErrorOptions {
  readonly suspect: Suspect;
  readonly evidence?: SignedReply;
}

/** One attempt to ask a gateway through one relay failed. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';
  readonly code: LookupErrorCode;
  readonly suspect: Suspect;
  readonly evidence: readonly SignedReply[];

  constructor(code: LookupErrorCode, { suspect, evidence, ...options }: AttemptErrorOptions) {
    super(code, options);
    this.code = code;
    this.suspect = suspect;
    this.evidence = evidence === undefined ? [] : [evidence];
  }
}
