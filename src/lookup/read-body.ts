import { MalformedBytesError } from '../base/bytes.ts';
import { type Cbor } from '../base/cbor.ts';
import { type SignedAnswer } from './attempt.ts';
import { LookupError } from './fault.ts';

/** The body of a reply with code OK. @throws LookupError when the gateway signed nonsense. */
export function readBody<T>({ reply, evidence }: SignedAnswer, decode: (body: Cbor) => T): T {
  try {
    return decode(reply.body);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw gatewayLied({ reply, evidence }, cause.message);
  }
}

/** What a gateway signed cannot be so, whatever the chain is. */
export function gatewayLied({ evidence }: SignedAnswer, why: string): LookupError {
  const { nodeId } = evidence;
  return new LookupError(
    'malformed-reply',
    `The answer of gateway ${nodeId} is no answer: ${why}.`,
    {
      culprit: { role: 'gateway', nodeId },
      evidence: [evidence],
    },
  );
}
