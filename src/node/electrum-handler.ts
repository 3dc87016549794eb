import { MalformedBytesError, toHex } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import type { Clock } from '../base/clock.ts';
import type { ElectrumClient } from '../electrum/client.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { ProofError } from '../electrum/proof-error.ts';
import { ElectrumRpcError } from '../electrum/rpc-error.ts';
import {
  encodeBroadcastBody,
  encodeFeesBody,
  encodeInfoBody,
  encodeUnspentBody,
  type FeeEstimate,
  UNSPENT_PAGE,
} from '../query/bodies.ts';
import {
  type BroadcastQuery,
  decodeQuery,
  type Query,
  type TransactionQuery,
} from '../query/query.ts';
import {
  encodeTransactionBody,
  packTransaction,
  type TransactionProof,
} from '../query/transaction-body.ts';
import { Uploads } from '../query/upload.ts';
import type { GatewayHandler } from '../relay/gateway-handler.ts';
import { type Answer, QueryRefusedError, refusalOf, replyOf } from './answer.ts';
import { HistoryAnswers } from './history-answer.ts';
import type { FollowedHeaders } from '../electrum/follow-headers.ts';
import { Target, TargetNotSyncedError } from './target.ts';

export interface ElectrumHandlerOptions {
  readonly client: ElectrumClient;
  readonly headers: FollowedHeaders;
  readonly clock: Clock;
  /** What INFO says: at most 64 bytes. */
  readonly software: string;
}

/** Blocks within which a transaction is to be confirmed, rising. */
const FEE_TARGETS = [1, 2, 3, 5, 10, 25, 144, 1008];
const FEES_KEPT_MS = 60_000;
const SATOSHIS = 100_000_000;
/** What Fulcrum and ElectrumX say before the network's own words. */
const REJECTION_PREFIX = /^the transaction was rejected by network rules\.\s+/;
/** What the network says of a transaction it refuses, cut to what a body may hold. */
const MAX_REJECTION_CHARACTERS = 256;

type Asked<Op extends Query['op']> = Extract<Query, { op: Op }>;

/** Joins the gateway role to its Electrum server: from a query to a reply. */
export function electrumHandler(options: ElectrumHandlerOptions): GatewayHandler {
  const { headers } = options;
  const answers = new Answers(options);
  return async ({ op, args }, { signal }) => {
    try {
      return replyOf(await answers.answer(queryOf(op, args), signal));
    } catch (error) {
      return refusalOf(refusalFor(error), headers.chain.tip);
    }
  };
}

function queryOf(op: number, args: Cbor): Query {
  const query = decodeQuery(op, args);
  if (query === undefined) throw new QueryRefusedError('UNSUPPORTED');
  return query;
}

/** @throws what is a bug rather than an answer. */
function refusalFor(error: unknown): QueryRefusedError {
  if (error instanceof QueryRefusedError) return error;
  if (error instanceof MalformedBytesError) return new QueryRefusedError('BAD_REQUEST');
  if (error instanceof TargetNotSyncedError || error instanceof ProofError) {
    return new QueryRefusedError('NOT_SYNCED');
  }
  if (error instanceof ElectrumRpcError) return new QueryRefusedError('BAD_REQUEST');
  if (error instanceof ElectrumClientError) {
    return new QueryRefusedError(error.code === 'disconnected' ? 'NOT_SYNCED' : 'BUSY');
  }
  throw error;
}

class Answers {
  readonly #options: ElectrumHandlerOptions;
  readonly #target: Target;
  readonly #histories: HistoryAnswers;
  readonly #uploads: Uploads;
  #fees: { readonly estimates: readonly FeeEstimate[]; readonly askedAt: number } | undefined;

  constructor(options: ElectrumHandlerOptions) {
    this.#options = options;
    this.#target = new Target(options);
    this.#histories = new HistoryAnswers({ ...options, target: this.#target });
    this.#uploads = new Uploads(options);
  }

  async answer(query: Query, signal: AbortSignal): Promise<Answer> {
    switch (query.op) {
      case 'NOOP':
        return this.#now(null);
      case 'HISTORY':
        return await this.#histories.page(query, { signal });
      case 'STATUS':
        return await this.#histories.status(query.scriptHash, { signal });
      case 'TX':
        return await this.#transaction(query, signal);
      case 'UNSPENT':
        return await this.#unspent(query, signal);
      case 'BROADCAST':
        return await this.#broadcast(query, signal);
      case 'FEES':
        return this.#now(encodeFeesBody(await this.#feeEstimates(signal)));
      case 'INFO':
        return this.#now(
          encodeInfoBody({
            software: this.#options.software,
            electrum: this.#target.protocol,
            capabilities: 0,
          }),
        );
    }
  }

  #now(body: Cbor): Answer {
    return { tip: this.#options.headers.chain.tip, body };
  }

  async #transaction(query: TransactionQuery, signal: AbortSignal): Promise<Answer> {
    const { txid, cursor } = query;
    const { tip } = this.#options.headers.chain;
    const offset = cursor?.index ?? 0;
    const raw = await this.#raw(txid, signal);
    if (offset >= raw.length) throw new QueryRefusedError('BAD_REQUEST');
    const proof = offset === 0 ? await this.#proof(query, raw, signal) : undefined;
    const page = packTransaction({ raw, offset, proof });
    const next = offset + page.bytes.length;
    const body = encodeTransactionBody(page);
    return next === raw.length
      ? { tip, body }
      : { tip, body, cursor: { tipHash: tip.hash, index: next } };
  }

  async #raw(txid: string, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await this.#target.raw(txid, { signal });
    } catch (error) {
      throw error instanceof ElectrumRpcError ? new QueryRefusedError('NOT_FOUND') : error;
    }
  }

  async #proof(
    { txid, height: asked }: TransactionQuery,
    raw: Uint8Array,
    signal: AbortSignal,
  ): Promise<TransactionProof | undefined> {
    const height = asked === 0 ? await this.#target.heightOf(raw, { signal }) : asked;
    if (height === undefined || height <= 0) return undefined;
    return { height, ...(await this.#target.proof({ txid, height }, { signal })) };
  }

  async #unspent({ scriptHash, cursor }: Asked<'UNSPENT'>, signal: AbortSignal): Promise<Answer> {
    const { tip } = this.#options.headers.chain;
    if (cursor !== undefined && cursor.tipHash !== tip.hash) {
      throw new QueryRefusedError('CURSOR_STALE');
    }
    const first = cursor?.index ?? 0;
    const rows = await this.#target.unspent(scriptHash, { signal });
    const page = rows.slice(first, first + UNSPENT_PAGE);
    const body = encodeUnspentBody(
      page.map(({ tx_hash, tx_pos, height, value }) => ({
        txid: tx_hash,
        vout: tx_pos,
        value: BigInt(value),
        height,
      })),
    );
    const next = first + page.length;
    return next >= rows.length
      ? { tip, body }
      : { tip, body, cursor: { tipHash: tip.hash, index: next } };
  }

  async #broadcast(query: BroadcastQuery, signal: AbortSignal): Promise<Answer> {
    const progress = this.#uploads.add(query);
    switch (progress.state) {
      case 'waiting':
        return this.#now(encodeBroadcastBody({ txid: null, held: progress.held }));
      case 'corrupt':
        throw new QueryRefusedError('BAD_REQUEST');
      case 'whole': {
        const txid = await this.#send(progress.raw, signal);
        return this.#now(encodeBroadcastBody({ txid, held: progress.held }));
      }
    }
  }

  async #send(raw: Uint8Array, signal: AbortSignal): Promise<string> {
    try {
      return await this.#target.broadcast(toHex(raw), { signal });
    } catch (error) {
      if (!(error instanceof ElectrumRpcError)) throw error;
      throw new QueryRefusedError('TX_REJECTED', rejectionOf(error.message));
    }
  }

  /** One answer for all clients, so that asking tells nothing. */
  async #feeEstimates(signal: AbortSignal): Promise<readonly FeeEstimate[]> {
    const now = this.#options.clock();
    if (this.#fees !== undefined && now - this.#fees.askedAt < FEES_KEPT_MS) {
      return this.#fees.estimates;
    }
    const rates = await Promise.all(
      FEE_TARGETS.map(async (targetBlocks) => ({
        targetBlocks,
        satoshisPerKvB: Math.round(
          (await this.#target.feeRate(targetBlocks, { signal })) * SATOSHIS,
        ),
      })),
    );
    const estimates = rates.filter(({ satoshisPerKvB }) => satoshisPerKvB >= 0);
    this.#fees = { estimates, askedAt: now };
    return estimates;
  }
}

function rejectionOf(words: string): string {
  const printable = words
    .replace(REJECTION_PREFIX, '')
    .trim()
    .replace(/[^\x20-\x7e]/g, ' ');
  return printable.slice(0, MAX_REJECTION_CHARACTERS);
}
