import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock } from '../base/clock.ts';
import { toHex } from '../base/bytes.ts';
import { type Scope } from '../base/lifecycle.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type Network } from '../bitcoin/networks.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { findHeight } from '../electrum/find-height.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { Turnstile } from '../relay/turnstile.ts';
import { blamingServer, SERVER } from './blame-server.ts';
import { ElectrumHistories } from './electrum-history.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type HeaderView } from './header-view.ts';
import {
  type Exposure,
  type FeeRate,
  type Lookup,
  type LookupCallOptions,
  type VerifiedHeaders,
  type VerifiedHistory,
  type FoundTransaction,
} from './lookup.ts';
import { type ScriptHints } from './script-hints.ts';
import { checkTipAge, verifyHistory, verifyTransaction } from './verify-history.ts';

export interface DirectLookupOptions {
  readonly network: Network;
  /** Of the user's own server. */
  readonly client: ElectrumClient;
  readonly onion: string;
  readonly headers: HeaderView;
  readonly hints: ScriptHints;
  readonly clock: Clock;
  /** What ends with the lookup. */
  readonly scope: Scope;
}

/** Addresses looked up at a time; each has a few calls under way. */
const ADDRESSES_AT_ONCE = 64;
/**
 * A block or a transaction may come between two calls, or replace what was there. Fulcrum gives the
 * status that it last told, half a second late, to whoever subscribes again.
 */
const TRIES = 3;
const PAUSE_MS = 700;
const FEE_TARGETS = [1, 2, 5, 10, 25, 144, 1008];
const SATOSHIS = 100_000_000;

/** Asks the user's own Electrum server for everything, and believes it no more than a stranger. */
export class DirectLookup implements Lookup {
  /** None: there is nobody to make up for the server. */
  readonly faults: readonly LookupError[] = [];
  readonly pollMeanMs = undefined;
  readonly #options: DirectLookupOptions;
  readonly #histories: ElectrumHistories;
  readonly #addresses = new Turnstile(ADDRESSES_AT_ONCE);

  readonly #asked = new Set<string>();

  constructor(options: DirectLookupOptions) {
    this.#options = options;
    this.#histories = new ElectrumHistories(options.client);
  }

  get headers(): VerifiedHeaders {
    return this.#options.headers;
  }

  exposure(): Exposure {
    const server = { name: this.#options.onion, addresses: this.#asked.size };
    return { gateways: [server], relays: [] };
  }

  async history(scriptHash: string, { signal }: LookupCallOptions): Promise<VerifiedHistory> {
    this.#asked.add(scriptHash);
    await this.#addresses.enter(signal);
    try {
      return await blamingServer(this.#options.onion, () =>
        this.#retried(signal, () => this.#readHistory(scriptHash, signal)),
      );
    } finally {
      this.#addresses.leave();
    }
  }

  async transaction(txid: string, { signal }: LookupCallOptions): Promise<FoundTransaction> {
    return blamingServer(this.#options.onion, () =>
      this.#retried(signal, () => this.#readTransaction(txid, signal)),
    );
  }

  watch(scriptHash: string, onHint: () => void): () => void {
    this.#asked.add(scriptHash);
    return this.#options.hints.watch(scriptHash, onHint);
  }

  async broadcast(raw: Uint8Array, { signal }: LookupCallOptions): Promise<string> {
    const { client, onion } = this.#options;
    const txid = txidOf(raw);
    return blamingServer(onion, async () => {
      const params = { raw_tx: toHex(raw) };
      const answer = await client.call('blockchain.transaction.broadcast', params, { signal });
      if (answer === txid) return txid;
      const message = `The server at ${onion} names another transaction than the one it was given.`;
      throw new LookupError('false-answer', message, { culprit: SERVER });
    });
  }

  async fees({ signal }: LookupCallOptions): Promise<readonly FeeRate[]> {
    const { client, onion } = this.#options;
    return blamingServer(onion, async () => {
      const rates = FEE_TARGETS.map(async (blocks) => {
        const rate = await client.call('blockchain.estimatefee', { number: blocks }, { signal });
        return { blocks, satPerKvb: Math.round(rate * SATOSHIS) };
      });
      return (await Promise.all(rates)).filter(({ satPerKvb }) => satPerKvb > 0);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.scope[Symbol.asyncDispose]();
  }

  /** Repeats what failed because the answers and the chain are not of one moment. */
  async #retried<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof ProofError) || attempt === TRIES) throw error;
        await unlessAborted(sleep(PAUSE_MS), signal);
        await this.#options.headers.sync(signal);
      }
    }
  }

  async #readHistory(scriptHash: string, signal: AbortSignal): Promise<VerifiedHistory> {
    const { headers, onion } = this.#options;
    const claim = await unlessAborted(this.#histories.fetch(scriptHash), signal);
    await this.#reach(Math.max(0, ...claim.entries.map(({ height }) => height)), signal);
    const history = verifyHistory(claim, headers);
    return { ...history, tip: headers.tip, source: { kind: 'server', onion } };
  }

  async #readTransaction(txid: string, signal: AbortSignal): Promise<FoundTransaction> {
    const { client, headers } = this.#options;
    const raw = await unlessAborted(this.#rawOf(txid), signal);
    const unproved = verifyTransaction({ txid, height: 0, raw, proof: undefined }, headers);
    const height = await findHeight(client, unproved.transaction, { signal });
    if (height === undefined || height <= 0) return unproved;
    const proof = await unlessAborted(this.#histories.proof(txid, height), signal);
    await this.#reach(height, signal);
    return verifyTransaction({ txid, height, raw, proof }, headers);
  }

  async #rawOf(txid: string): Promise<Uint8Array> {
    try {
      return await this.#histories.raw(txid);
    } catch (cause) {
      if (!(cause instanceof ElectrumRpcError)) throw cause;
      const message = `The server at ${this.#options.onion} says that there is no such transaction.`;
      throw new LookupError('not-found', message, { culprit: NOBODY, cause });
    }
  }

  /** Until the chain has the block. */
  async #reach(height: number, signal: AbortSignal): Promise<void> {
    const { headers, network, clock } = this.#options;
    if (headers.headerAt(height) === undefined) await headers.sync(signal);
    const tip = headers.headerAt(headers.tip.height);
    if (tip !== undefined) checkTipAge(tip, { network, now: clock() });
  }
}
