import { type Clock } from '../base/clock.ts';
import { type Running } from '../base/lifecycle.ts';
import { type Logger } from '../base/log.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type Address } from '../io/dial.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type BridgeStatus } from './bridge-status.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface BridgeOptions {
  /** Where wallets connect; port 0 picks a free one. Whoever reaches it sees what the wallets see. */
  readonly listen: Address;
  readonly network: Network;
  /** Owned by the caller. */
  readonly lookup: Lookup;
  /** Over the same lookup; owned by the caller. */
  readonly watchList: WatchedScripts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A local Electrum server over a lookup. */
export interface Bridge extends Running {
  /** Where it listens. */
  readonly address: Address;
  status(): BridgeStatus;
}
