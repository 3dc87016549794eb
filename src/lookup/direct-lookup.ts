import { type Clock } from '../base/clock.ts';
import { toHex } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { unlessAborted } from '../base/unless-aborted.ts';
import { type Network } from '../bitcoin/networks.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import { Turnstile } from '../relay/turnstile.ts';
import { ElectrumHistories } from './electrum-history.ts';
import { type Culprit, LookupError, type LookupErrorCode } from './fault.ts';
import { type HeaderView } from './header-view.ts';
import {
  type FeeRate,
  type Lookup,
  type LookupCallOptions,
  type VerifiedHistory,
} from './lookup.ts';
import { checkTipAge, type HistoryClaim, verifyHistory } from './verify-history.ts';

export interface DirectLookupOptions {
  readonly network: Network;
  /** Of the user's own server. */
  readonly client: ElectrumClient;
  readonly onion: string;
  readonly headers: HeaderView;
  readonly clock: Clock;
}

/** Addresses looked up at a time; each has a few calls under way. */
const ADDRESSES_AT_ONCE = 64;
const FEE_TARGETS = [1, 2, 5, 10, 25, 144, 1008];
const SATOSHIS = 100_000_000;
const SERVER: Culprit = { role: 'server', nodeId: undefined };

/** Asks the user's own Electrum server for everything, and believes it no more than a stranger. */
export class DirectLookup implements Lookup {
  readonly faults: LookupError[] = [];
  readonly #options: DirectLookupOptions;
  readonly #histories: ElectrumHistories;
  readonly #addresses = new Turnstile(ADDRESSES_AT_ONCE);

  constructor(options: DirectLookupOptions) {
    this.#options = options;
    this.#histories = new ElectrumHistories(options.client);
  }

  async history(scriptHash: string, { signal }: LookupCallOptions): Promise<VerifiedHistory> {
    await this.#addresses.enter(signal);
    try {
      return await this.#blaming(async () => {
        try {
          return await this.#read(scriptHash, signal);
        } catch (error) {
          if (!(error instanceof ProofError)) throw error;
          // A block or a transaction may have come between two of the calls.
          return await this.#read(scriptHash, signal);
        }
      });
    } finally {
      this.#addresses.leave();
    }
  }

  async broadcast(raw: Uint8Array, { signal }: LookupCallOptions): Promise<string> {
    const { client, onion } = this.#options;
    const txid = txidOf(raw);
    return this.#blaming(async () => {
      const params = { raw_tx: toHex(raw) };
      const answer = await client.call('blockchain.transaction.broadcast', params, { signal });
      if (answer === txid) return txid;
      const message = `The server at ${onion} names another transaction than the one it was given.`;
      throw new LookupError('false-answer', message, { culprit: SERVER });
    });
  }

  async fees({ signal }: LookupCallOptions): Promise<readonly FeeRate[]> {
    const { client } = this.#options;
    return this.#blaming(async () => {
      const rates = FEE_TARGETS.map(async (blocks) => {
        const rate = await client.call('blockchain.estimatefee', { number: blocks }, { signal });
        return { blocks, satPerKvb: Math.round(rate * SATOSHIS) };
      });
      return (await Promise.all(rates)).filter(({ satPerKvb }) => satPerKvb > 0);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.headers[Symbol.asyncDispose]();
    await this.#options.client[Symbol.asyncDispose]();
  }

  async #read(scriptHash: string, signal: AbortSignal): Promise<VerifiedHistory> {
    const { headers, onion } = this.#options;
    headers.keepFresh();
    const claim = await unlessAborted(this.#histories.fetch(scriptHash), signal);
    await this.#reach(claim, signal);
    const history = verifyHistory(claim, headers);
    return { ...history, tip: headers.tip, source: { kind: 'server', onion } };
  }

  /** Until the chain has every block that the history names. */
  async #reach({ entries }: HistoryClaim, signal: AbortSignal): Promise<void> {
    const { headers, network, clock } = this.#options;
    const highest = Math.max(0, ...entries.map(({ height }) => height));
    if (headers.headerAt(highest) === undefined) await headers.sync(signal);
    const tip = headers.headerAt(headers.tip.height);
    if (tip !== undefined) checkTipAge(tip, { network, now: clock() });
  }

  /** Turns what the server did wrong into a fault of the server. */
  async #blaming<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const code = codeOf(cause);
      if (code === undefined) throw cause;
      const message = `The server at ${this.#options.onion} ${WHAT[code]}: ${messageOf(cause)}.`;
      throw new LookupError(code, message, { culprit: SERVER, cause });
    }
  }
}

const WHAT = {
  'false-answer': 'gave an answer that the block chain refutes',
  'server-error': 'refused to answer',
  'server-unreachable': 'did not answer',
} as const satisfies Partial<Record<LookupErrorCode, string>>;

function codeOf(error: unknown): keyof typeof WHAT | undefined {
  if (error instanceof ProofError) return 'false-answer';
  if (error instanceof ElectrumRpcError) return 'server-error';
  if (!(error instanceof ElectrumClientError)) return undefined;
  return error.code === 'bad-reply' ? 'server-error' : 'server-unreachable';
}
