import { type VerifiedHistory } from '../lookup/lookup.ts';
import { type Alarm } from './alarm.ts';
import { Audience } from './audience.ts';
import { type FetchedHistory } from './tell-history.ts';

/** BlueWallet never subscribes: what a wallet asked for counts as wanted for so long. */
const LINGER_MS = 3_600_000;

/** What the watch list has of one script. Times are in milliseconds since the epoch. */
export class WatchedScript {
  readonly scriptHash: string;
  /** Rings when it is to be asked about. */
  readonly alarm: Alarm;
  readonly audience = new Audience();
  /** As it was fetched, and what blocks have proved besides. */
  fetched: FetchedHistory | undefined;
  /** As wallets are told it; there from the first answer on. */
  told: VerifiedHistory | undefined;
  /** Memory that it takes, estimated. */
  bytes = 0;
  /** Blocks that it was in have left the chain, and it was not fetched since. */
  isLost = false;
  /** It is not in the list any more. */
  isForgotten = false;
  /** When a wallet last came for it or went. */
  wantedAt = Number.NEGATIVE_INFINITY;
  askedAt = Number.NEGATIVE_INFINITY;
  /** When the source last said that something has changed. */
  hintedAt = Number.NEGATIVE_INFINITY;
  /** When the question was put that brought what is held; 0 when that comes from the cache. */
  freshAt = 0;
  /** When the cache last got it. */
  writtenAt = Number.NEGATIVE_INFINITY;
  /** Why it could not be fetched, and how often in a row. */
  failure: Error | undefined;
  failures = 0;
  /** Until then there is no use in asking again. */
  refusedUntil = Number.NEGATIVE_INFINITY;
  /** Ends the hints of a server that gives them. */
  stopHints: (() => void) | undefined;

  constructor(scriptHash: string, alarm: Alarm) {
    this.scriptHash = scriptHash;
    this.alarm = alarm;
  }

  /** Whether a wallet is there for it, or was just now. */
  isWanted(now: number): boolean {
    return !this.audience.isEmpty || now - this.wantedAt < LINGER_MS;
  }

  /** Whether something is known to be missing in what is held. */
  get isBehind(): boolean {
    return this.told === undefined || this.isLost || this.hintedAt >= this.freshAt;
  }
}
