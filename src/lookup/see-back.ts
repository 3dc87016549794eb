import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes } from '../base/bytes.ts';
import { type NodeId } from '../directory/node-id.ts';
import { type Query } from '../query/query.ts';
import { decodeTransactionBody } from '../query/transaction-body.ts';
import { type Answered } from './ask.ts';
import { LookupError, NOBODY } from './fault.ts';
import { readBody } from './read-body.ts';

export type PutAt = (gateway: NodeId, query: Query, signal: AbortSignal) => Promise<Answered>;

export interface SeeBackOptions {
  /** At least one, asked in turn. None of them is the one that was given the transaction. */
  readonly gateways: readonly NodeId[];
  readonly putAt: PutAt;
  /** Milliseconds between two questions. */
  readonly everyMs: number;
  /** Milliseconds until it is given up. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves when another gateway has a transaction that was sent: it then went over the network. Bytes
 * of it show that, because this gateway was not given them.
 * @throws LookupError `not-seen`; the signal's reason.
 */
export async function seeBack(
  { txid, raw }: { readonly txid: string; readonly raw: Uint8Array },
  { gateways, putAt, everyMs, withinMs, signal }: SeeBackOptions,
): Promise<void> {
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  try {
    for (let turn = 0; ; turn++) {
      const gateway = gateways[turn % gateways.length] ?? '';
      if (await has(gateway)) return;
      await sleep(everyMs, undefined, { signal: waiting });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!waiting.aborted) throw error;
    const message = `A gateway took the transaction, but none of ${gateways.length} others had it ${Math.round(withinMs / 1000)} s later. It may be on its way all the same: look for it before you send it again.`;
    throw new LookupError('not-seen', message, { culprit: NOBODY });
  }

  async function has(gateway: NodeId): Promise<boolean> {
    try {
      const answer = await putAt(gateway, { op: 'TX', txid }, waiting);
      const { bytes } = readBody(answer, decodeTransactionBody);
      return equalBytes(bytes, raw.subarray(0, bytes.length));
    } catch (error) {
      if (error instanceof LookupError) return false;
      throw error;
    }
  }
}
