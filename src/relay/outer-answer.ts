import { encodeAnswer } from './frame-payload.ts';
import { REPLY_BYTES } from './limits.ts';
import { outerErrorInput } from './message.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { OuterCode } from './relay-error.ts';

/** The payload of BACK or OUT that says, signed, why a cell has no reply (spec/relay.md section 6.2). */
export function outerAnswer(
  { nodeId, replyKey }: NodeIdentity,
  { code, cell }: { readonly code: OuterCode; readonly cell: Uint8Array },
): Uint8Array {
  const body = new Uint8Array(REPLY_BYTES);
  body.set(replyKey.sign(outerErrorInput({ nodeId, code, cell })));
  return encodeAnswer({ status: code, body });
}
