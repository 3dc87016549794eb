/** Why a call brought no answer. */
export type ElectrumClientCode =
  'timeout' | 'disconnected' | 'bad-reply' | 'too-many-calls' | 'no-common-protocol';

/** The Electrum server did not answer, or not in the protocol. */
export class ElectrumClientError extends Error {
  override readonly name = 'ElectrumClientError';
  readonly code: ElectrumClientCode;

  constructor(code: ElectrumClientCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
