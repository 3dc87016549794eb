import type { Cbor } from '../base/cbor.ts';
import type { Reply } from './message.ts';

/**
 * Answers what a cell asked. Settles soon after the signal aborts. The relay folder does not know
 * what `op` and `args` mean.
 */
export type GatewayHandler = (
  query: { readonly op: number; readonly args: Cbor },
  options: { readonly signal: AbortSignal },
) => Promise<Reply>;
