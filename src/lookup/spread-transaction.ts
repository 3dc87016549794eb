import { setTimeout as sleep } from 'node:timers/promises';
import { txidOf } from '../bitcoin/transaction.ts';
import { type NodeId } from '../directory/node-id.ts';
import { broadcastInParts } from './broadcast.ts';
import { LookupError, type LookupErrorCode } from './fault.ts';
import { type PutAt, seeBack } from './see-back.ts';

/** Milliseconds. */
export interface BroadcastPace {
  /** The mean of the random time that a transaction waits. */
  readonly delayMs: number;
  /** Between two questions whether another gateway has it. */
  readonly lookEveryMs: number;
  /** For how long it is looked for. */
  readonly seenWithinMs: number;
}

export interface SpreadOptions {
  /** At least two that know no address of the wallet, in the order to try them. */
  readonly gateways: readonly NodeId[];
  readonly putAt: PutAt;
  readonly pace: BroadcastPace;
  readonly signal: AbortSignal;
}

/** No transaction waits for longer than so many times the mean. */
const LONGEST_DELAY = 3;
/** The answer does not depend on who is asked. */
const FINAL: readonly LookupErrorCode[] = ['transaction-rejected', 'headers-unavailable'];

/**
 * Gives a transaction to one gateway after a random time, so that it does not follow at once on what
 * the wallet asked, and waits until another one has it. A gateway that fails is made up for by the next:
 * none of them can tell whose the transaction is.
 * @throws LookupError; MalformedBytesError or RangeError when it is not a transaction that can be sent.
 */
export async function spreadTransaction(raw: Uint8Array, options: SpreadOptions): Promise<string> {
  const { gateways, putAt, pace, signal } = options;
  const txid = txidOf(raw);
  await sleep(randomDelay(pace.delayMs), undefined, { signal });
  const taker = await give(raw, options);
  await seeBack(
    { txid, raw },
    {
      gateways: gateways.filter((nodeId) => nodeId !== taker),
      putAt,
      everyMs: pace.lookEveryMs,
      withinMs: pace.seenWithinMs,
      signal,
    },
  );
  return txid;
}

/** Resolves to the gateway that took it. */
async function give(
  raw: Uint8Array,
  { gateways, putAt, signal }: SpreadOptions,
): Promise<NodeId | undefined> {
  let failure: unknown;
  for (const nodeId of gateways) {
    try {
      await broadcastInParts(raw, (query) => putAt(nodeId, query, signal));
      return nodeId;
    } catch (error) {
      if (!(error instanceof LookupError) || FINAL.includes(error.code)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Exponential, as the time between two events that have nothing to do with each other. */
function randomDelay(meanMs: number): number {
  return Math.min(-Math.log(1 - Math.random()), LONGEST_DELAY) * meanMs;
}
