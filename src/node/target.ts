import { fromHex, MalformedBytesError } from '../base/bytes.ts';
import { parseTransaction, txidOf } from '../bitcoin/transaction.ts';
import { type HistoryItem, compareMempoolItems } from '../electrum/history-status.ts';
import type { ElectrumClient } from '../electrum/client.ts';
import type { ElectrumResults } from '../electrum/protocol.ts';
import { findHeight } from '../electrum/find-height.ts';
import { foldBranch } from '../electrum/merkle.ts';
import { type BlockProof, type CoinbaseSpine, meetingLevel } from '../electrum/block-proof.ts';
import { BoundedCache } from '../base/bounded-cache.ts';
import type { FollowedHeaders } from '../electrum/follow-headers.ts';

type UnspentRows = ElectrumResults['blockchain.scripthash.listunspent'];

interface CallOptions {
  readonly signal: AbortSignal;
}

/** The target contradicts the headers it gave: it is between two tips, or broken. */
export class TargetNotSyncedError extends Error {
  override readonly name = 'TargetNotSyncedError';
}

/** Bytes of raw transactions and of proofs kept, each. Both are public. */
const CACHE_BYTES = 32 * 1024 * 1024;
const HASH_BYTES = 32;

/** What a gateway asks of its Electrum server. What does not change is asked once. */
export class Target {
  readonly #client: ElectrumClient;
  readonly #headers: FollowedHeaders;
  readonly #raws = new BoundedCache<Uint8Array>(CACHE_BYTES, (raw) => raw.length);
  readonly #proofs = new BoundedCache<BlockProof>(CACHE_BYTES, weighProof);
  /** The coinbase of a block with its whole branch. */
  readonly #coinbases = new BoundedCache<CoinbaseSpine>(CACHE_BYTES, weighSpine);

  constructor({ client, headers }: { client: ElectrumClient; headers: FollowedHeaders }) {
    this.#client = client;
    this.#headers = headers;
  }

  /** Blocks first, then the mempool in the order of protocol 1.6, whatever the target speaks. */
  async history(scripthash: string, { signal }: CallOptions): Promise<readonly HistoryItem[]> {
    const method = 'blockchain.scripthash.get_history';
    const rows = await this.#client.call(method, { scripthash }, { signal });
    const items = rows.map(({ tx_hash, height }) => ({ txid: tx_hash, height }));
    const unconfirmed = items.filter(({ height }) => height <= 0).sort(compareMempoolItems);
    return [...items.filter(({ height }) => height > 0), ...unconfirmed];
  }

  /** @throws TargetNotSyncedError when it is another one. */
  async raw(txid: string, { signal }: CallOptions): Promise<Uint8Array> {
    const kept = this.#raws.get(txid);
    if (kept !== undefined) return kept;
    const method = 'blockchain.transaction.get';
    const hex = await this.#client.call(method, { tx_hash: txid }, { signal });
    const raw = rawOf(hex, txid);
    this.#raws.set(txid, raw);
    return raw;
  }

  /** Undefined when the target tells it in no history that it gives. */
  async heightOf(raw: Uint8Array, { signal }: CallOptions): Promise<number | undefined> {
    return await findHeight(this.#client, parseTransaction(raw), { signal });
  }

  /** @throws TargetNotSyncedError when the proof does not lead to our header. */
  async proof(item: HistoryItem, { signal }: CallOptions): Promise<BlockProof> {
    const { txid, height } = item;
    const root = this.#headers.chain.headerAt(height)?.merkleRoot;
    if (root === undefined) throw new TargetNotSyncedError('a block above our headers');
    const key = `${txid}/${root}`;
    const kept = this.#proofs.get(key);
    if (kept !== undefined) return kept;
    const [{ merkle, pos }, coinbase] = await Promise.all([
      this.#client.call('blockchain.transaction.get_merkle', { tx_hash: txid, height }, { signal }),
      this.#coinbase(height, { root, signal }),
    ]);
    const proof = { position: pos, branch: merkle, coinbase: spineOf(coinbase, pos) };
    if (foldBranch({ txid, ...proof }) !== root) {
      throw new TargetNotSyncedError('a proof that does not lead to our header');
    }
    this.#proofs.set(key, proof);
    return proof;
  }

  async #coinbase(
    height: number,
    { root, signal }: CallOptions & { root: string },
  ): Promise<CoinbaseSpine> {
    const kept = this.#coinbases.get(root);
    if (kept !== undefined) return kept;
    const method = 'blockchain.transaction.id_from_pos';
    const first = await this.#client.call(method, { height, tx_pos: 0, merkle: true }, { signal });
    if (typeof first === 'string') throw new TargetNotSyncedError('no proof of the coinbase');
    const coinbase = { txid: first.tx_hash, branch: first.merkle };
    if (foldBranch({ ...coinbase, position: 0 }) !== root) {
      throw new TargetNotSyncedError('a coinbase that does not lead to our header');
    }
    this.#coinbases.set(root, coinbase);
    return coinbase;
  }

  async unspent(scripthash: string, { signal }: CallOptions): Promise<UnspentRows> {
    return await this.#client.call('blockchain.scripthash.listunspent', { scripthash }, { signal });
  }

  /** Bitcoins for 1000 virtual bytes, or -1 when the target cannot say. */
  async feeRate(targetBlocks: number, { signal }: CallOptions): Promise<number> {
    return await this.#client.call('blockchain.estimatefee', { number: targetBlocks }, { signal });
  }

  async broadcast(raw: string, { signal }: CallOptions): Promise<string> {
    return await this.#client.call('blockchain.transaction.broadcast', { raw_tx: raw }, { signal });
  }

  get protocol(): string {
    return this.#client.protocol;
  }
}

function rawOf(hex: unknown, txid: string): Uint8Array {
  try {
    const raw = typeof hex === 'string' ? fromHex(hex) : undefined;
    // A copy, because a view would keep alive the far larger buffer that Node cut it from.
    if (raw !== undefined && txidOf(raw) === txid) return Uint8Array.from(raw);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
  }
  throw new TargetNotSyncedError('not the transaction that was asked for');
}

function spineOf({ txid, branch }: CoinbaseSpine, position: number): CoinbaseSpine | undefined {
  return position === 0 ? undefined : { txid, branch: branch.slice(0, meetingLevel(position)) };
}

function weighProof({ branch, coinbase }: BlockProof): number {
  return HASH_BYTES * (1 + branch.length) + (coinbase === undefined ? 0 : weighSpine(coinbase));
}

function weighSpine({ branch }: CoinbaseSpine): number {
  return HASH_BYTES * (1 + branch.length);
}
