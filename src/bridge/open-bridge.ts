import { Scope } from '../base/lifecycle.ts';
import { type Schedule } from '../lookup/schedule.ts';
import { openHistoryCache } from './history-cache.ts';
import { type Bridge, type BridgeOptions, startBridge } from './start-bridge.ts';
import { openWatchList } from './watch-list.ts';

export interface OpenBridgeOptions extends Omit<BridgeOptions, 'watchList'> {
  /** Private: the histories are kept here. */
  readonly directory: string;
  /** 32 bytes, of the histories. */
  readonly key: Uint8Array;
  readonly schedule: Schedule;
  /** Over which first questions are spread, to go out in random order. */
  readonly windowMs: number;
  /** Gives up the opening. */
  readonly signal: AbortSignal;
}

/**
 * Opens what is kept of the wallets' histories, and serves wallets from it and from the lookup.
 * @throws UserError when what is kept is damaged or was sealed with another key.
 */
export async function openBridge(options: OpenBridgeOptions): Promise<Bridge> {
  const { lookup, windowMs } = options;
  await using opening = new Scope();
  const cache = opening.use(await openHistoryCache({ ...options, headers: lookup.headers }));
  const watchList = opening.use(openWatchList({ ...options, cache, limits: { windowMs } }));
  const bridge = opening.use(await startBridge({ ...options, watchList }));
  const opened = opening.move();
  return { ...bridge, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}
