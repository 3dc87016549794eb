import type { OnionName } from '../home.ts';
import type { ServiceState } from '../backend.ts';

/** What a probe learnt, or in words why it learnt nothing. */
export type Observed<T> = { readonly value: T } | { readonly failure: string };

export interface TorObservation {
  /** 0 to 100. */
  readonly bootstrapPercent: number;
  /** tor's own words for what it is doing. */
  readonly summary: string;
  readonly circuitEstablished: boolean;
  /** Nobody used it for a day; it wakes when somebody does. */
  readonly dormant: boolean;
  readonly onions: Readonly<Record<OnionName, OnionObservation>>;
}

export interface OnionObservation {
  /** Whether tor has made the descriptor that clients look for. */
  readonly hasDescriptor: boolean;
  /** Introduction points that are ready for clients. */
  readonly introductions: number;
  /** What the directories did with the descriptor, as far as this was heard. */
  readonly uploads: 'unheard' | 'under-way' | 'stored';
}

/** What bitcoind says of itself; `warmUp` are its own words while it starts. */
export type BitcoindObservation =
  | { readonly warmUp: string }
  | {
      readonly warmUp?: undefined;
      readonly blocks: number;
      readonly headers: number;
      /** 0 to 1, by transactions. */
      readonly progress: number;
      readonly initialBlockDownload: boolean;
      /** Seconds since the epoch. */
      readonly tipTime: number;
      /** Seconds since the epoch; absent when it was not asked for. */
      readonly newestHeaderTime?: number | undefined;
      readonly peers: number;
      /** Before headers are kept, a peer's are checked for enough work: up to which height. */
      readonly presyncedHeaders?: number | undefined;
      /** Absent without txindex. */
      readonly txindexHeight?: number | undefined;
    };

/** An answer of the Electrum server. Hashes are 64 hexadecimal characters in display order. */
export interface ElectrumObservation {
  /** What it calls itself, cleaned of what a terminal would obey. */
  readonly server: string;
  readonly genesisHash: string;
  readonly height: number;
  readonly tipHash: string;
}

/** What the target's log tells of its index. */
export interface IndexObservation {
  /** 0 to 1 of the work; by blocks where it cannot be told by transactions. */
  readonly progress?: number;
  readonly height?: number;
  /** It waits for bitcoind. */
  readonly waitsForBitcoind: boolean;
}

/** What ends a service whenever it starts. */
export type TroubleKind = 'disk-full' | 'corrupt' | 'other-network';

export interface Trouble {
  readonly kind: TroubleKind;
  /** The line of the log that says so. */
  readonly line: string;
}

export interface ListedObservation {
  readonly listed: boolean;
  readonly epoch: number;
}

/** The newest of what each probe learnt. What is absent was not looked at yet. */
export interface Observations {
  readonly services?: Observed<readonly ServiceState[]>;
  readonly tor?: Observed<TorObservation>;
  readonly bitcoind?: Observed<BitcoindObservation>;
  readonly bitcoindTrouble?: Observed<Trouble | undefined>;
  readonly index?: Observed<IndexObservation>;
  readonly targetTrouble?: Observed<Trouble | undefined>;
  readonly target?: Observed<ElectrumObservation>;
  readonly walletOnion?: Observed<ElectrumObservation>;
  readonly relayOnion?: Observed<true>;
  readonly listed?: Observed<ListedObservation>;
  /** Bytes left where chain and index are kept. */
  readonly freeBytes?: Observed<number>;
}

export function valueOf<T>(observed: Observed<T> | undefined): T | undefined {
  return observed !== undefined && 'value' in observed ? observed.value : undefined;
}

/** In words, why nothing is known. */
export function failureOf(observed: Observed<unknown> | undefined): string {
  if (observed === undefined) return 'not looked at yet';
  return 'failure' in observed ? observed.failure : 'nothing is known';
}
