/**
 * `wrong`: the node signed what the chain refutes. `unclear`: nothing is learnt of it, because somebody
 * else or nobody is at fault. `untimely`: so too, as long as no other one is right either.
 */
export type ProbeErrorKind = 'wrong' | 'unclear' | 'untimely';

/** Why a look at a node came to nothing, where that is not simply that the node does not answer. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
  readonly kind: ProbeErrorKind;

  constructor(kind: ProbeErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
