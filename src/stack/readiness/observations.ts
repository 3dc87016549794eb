import type { OnionName } from '../home.ts';
import type { AuthorityAnswer } from '../../node/publication.ts';
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
  /** The watchdog has tried all that it knows. */
  readonly isGivenUp?: boolean;
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

/** What ends a service whenever it starts. */
export type Trouble = 'disk-full' | 'corrupt' | 'other-network';

/** What the log of a service that does not answer tells. */
export interface LogObservation {
  readonly trouble: Trouble | undefined;
  /** The last block of the target's index. */
  readonly height?: number;
  /** 0 to 1: by transactions, or by blocks where those are not known. */
  readonly progress?: number;
  /** The target can do nothing yet. */
  readonly waitsForBitcoind: boolean;
}

/** How a consensus lists the node. */
export interface ListedNode {
  readonly flags: readonly string[];
  readonly weight: number;
  /** Of the weight of all nodes: 0 to 1. */
  readonly share: number;
}

export interface ListedConsensus {
  readonly epoch: number;
  /** Seconds since the epoch of Unix. */
  readonly validUntil: number;
  /** Absent when it does not list the node. */
  readonly node: ListedNode | undefined;
}

export interface ListedObservation {
  /** The newest that the node accepted. */
  readonly consensus: ListedConsensus | undefined;
  /** How many authorities the descriptor is brought to. */
  readonly authorities: number;
  /** What they said of the newest descriptor so far. */
  readonly answers: readonly AuthorityAnswer[];
  /** Two consensuses of one epoch that a quorum has signed: the node goes by none until they are dealt with. */
  readonly fork?: { readonly epoch: number; readonly convicted: readonly string[] } | undefined;
}

/** The newest of what each probe learnt. What is absent was not looked at yet. */
export interface Observations {
  readonly services?: Observed<readonly ServiceState[]> | undefined;
  readonly tor?: Observed<TorObservation> | undefined;
  readonly bitcoind?: Observed<BitcoindObservation> | undefined;
  readonly bitcoindLog?: Observed<LogObservation> | undefined;
  readonly targetLog?: Observed<LogObservation> | undefined;
  readonly target?: Observed<ElectrumObservation> | undefined;
  readonly bridge?: Observed<ElectrumObservation> | undefined;
  readonly walletOnion?: Observed<ElectrumObservation> | undefined;
  readonly relayOnion?: Observed<true> | undefined;
  readonly listed?: Observed<ListedObservation> | undefined;
  /** Room left where chain and index are kept. */
  readonly freeMegabytes?: Observed<number> | undefined;
}

export function valueOf<T>(observed: Observed<T> | undefined): T | undefined {
  return observed !== undefined && 'value' in observed ? observed.value : undefined;
}

/** In words, why nothing is known. */
export function failureOf(observed: Observed<unknown> | undefined): string {
  if (observed === undefined) return 'not known yet';
  return 'failure' in observed ? observed.failure : 'nothing is known';
}
