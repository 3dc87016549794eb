import type { LookupError } from '../lookup/fault.ts';
import type { VerifiedHistory } from '../lookup/lookup.ts';
import type { SeenByNode } from './seen.ts';
import type { WalletAddress } from './wallet.ts';

/** How the lookup of the whole wallet went, one way. */
export interface WayResult {
  /** Whether every answer was verified and is what was paid to the wallet. */
  readonly ok: boolean;
  /** Addresses whose answer was verified. */
  readonly verified: number;
  /** The median of the single lookups, all under way at once. */
  readonly p50Ms: number;
  readonly totalMs: number;
}

export interface RelayedResult extends WayResult {
  /** Gateways that answered. */
  readonly gateways: number;
  /** What went wrong on the way, the nodes at fault named. */
  readonly faults: readonly string[];
}

/** What the operator of one plain Electrum server, reached over Tor, could log. */
export interface SeenByServer {
  readonly onion: string;
  readonly connections: number;
  readonly addresses: number;
}

/** All that `sotto demo` found: what `--json` prints. */
export interface DemoResult {
  readonly ok: boolean;
  /** From the command to a network that answers. */
  readonly readyMs: number;
  readonly consensus: {
    readonly epoch: number;
    readonly signatures: number;
    readonly nodes: number;
  };
  readonly wallet: { readonly addresses: number; readonly transactions: number };
  readonly direct: WayResult;
  readonly relayed: RelayedResult;
  readonly seen: readonly SeenByNode[];
  readonly plainServer: SeenByServer;
}

/** The lookup of one address. */
export interface TimedLookup {
  readonly address: WalletAddress;
  readonly answer: VerifiedHistory | LookupError;
  readonly tookMs: number;
}

export function wayResult(lookups: readonly TimedLookup[], totalMs: number): WayResult {
  return {
    ok: lookups.every(isRight),
    verified: lookups.filter(({ answer }) => !(answer instanceof Error)).length,
    p50Ms: Math.round(median(lookups.map(({ tookMs }) => tookMs))),
    totalMs: Math.round(totalMs),
  };
}

/** Whether two ways told the same about every address. */
export function areEqual(a: readonly TimedLookup[], b: readonly TimedLookup[]): boolean {
  return a.length === b.length && a.every((each, index) => told(each) === told(b[index]));
}

/** Whether the answer holds exactly the transactions that were paid, those in blocks proved. */
function isRight({ address, answer }: TimedLookup): boolean {
  if (answer instanceof Error) return false;
  const found = answer.entries.map(({ txid }) => txid).sort();
  const proved = answer.entries.every((entry) => entry.proved === entry.height > 0);
  return proved && found.join() === [...address.txids].sort().join();
}

function told(lookup: TimedLookup | undefined): string | undefined {
  if (lookup === undefined || lookup.answer instanceof Error) return undefined;
  const { scriptHash, status, confirmed, unconfirmed, unspent } = lookup.answer;
  const outputs = unspent.map(({ txid, vout, value }) => `${txid}:${vout}:${value}`).sort();
  return [scriptHash, status, confirmed, unconfirmed, ...outputs].join();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
