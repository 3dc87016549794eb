import { fromHex } from '../base/bytes.ts';
import { type ElectrumClient } from '../electrum/client.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { type ElectrumResults } from '../electrum/protocol.ts';
import { type BlockProof, meetingLevel } from '../electrum/block-proof.ts';
import { LookupError, NOBODY } from './fault.ts';
import { type ClaimedEntry, type HistoryClaim } from './verify-history.ts';

type HistoryItem = ElectrumResults['blockchain.scripthash.get_history'][number];

const MAX_ENTRIES = 2000;
const MAX_SHARED = 10_000;

/**
 * Asks an Electrum server for histories and all that proves them: two round trips for an address,
 * its history and then everything that belongs to it at once. Calls that run together share what
 * they ask for: the transactions of one wallet touch many of its addresses.
 */
export class ElectrumHistories {
  readonly #client: ElectrumClient;
  readonly #shared = new Map<string, Promise<unknown>>();
  #running = 0;

  constructor(client: ElectrumClient) {
    this.#client = client;
  }

  /** @throws what `ElectrumClient.call` does; LookupError `history-too-long` */
  async fetch(scriptHash: string): Promise<HistoryClaim> {
    return this.#sharing(async () => {
      const script = { scripthash: scriptHash };
      const [status, items] = await Promise.all([
        this.#client.call('blockchain.scripthash.subscribe', script),
        this.#client.call('blockchain.scripthash.get_history', script),
      ]);
      if (items.length > MAX_ENTRIES) {
        const message = `The history is too long to read: more than ${MAX_ENTRIES} transactions.`;
        throw new LookupError('history-too-long', message, { culprit: NOBODY });
      }
      const entries = await Promise.all(items.map((item) => this.#entry(item)));
      return { scriptHash, status, entries };
    });
  }

  /** Unchecked. @throws what `ElectrumClient.call` does */
  async raw(txid: string): Promise<Uint8Array> {
    const raw = await this.#client.call('blockchain.transaction.get', { tx_hash: txid });
    if (typeof raw !== 'string') throw badReply();
    return fromHex(raw);
  }

  /** Unchecked. @throws what `ElectrumClient.call` does */
  async proof(txid: string, height: number): Promise<BlockProof> {
    return this.#sharing(() => this.#proof(txid, height));
  }

  /** What is asked for is shared until none is under way any more: the chain may change then. */
  async #sharing<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#shared.clear();
    }
  }

  async #entry({ tx_hash: txid, height }: HistoryItem): Promise<ClaimedEntry> {
    const [raw, proof] = await Promise.all([
      this.#once(`raw ${txid}`, () => this.raw(txid)),
      height > 0
        ? this.#once(`proof ${txid} ${height}`, () => this.#proof(txid, height))
        : undefined,
    ]);
    return { txid, height, raw, proof };
  }

  async #proof(txid: string, height: number): Promise<BlockProof> {
    const [{ merkle, pos }, coinbase] = await Promise.all([
      this.#client.call('blockchain.transaction.get_merkle', { tx_hash: txid, height }),
      this.#once(`coinbase ${height}`, () => this.#coinbase(height)),
    ]);
    if (pos === 0) return { position: pos, branch: merkle, coinbase: undefined };
    const branch = coinbase.branch.slice(0, meetingLevel(pos));
    return { position: pos, branch: merkle, coinbase: { txid: coinbase.txid, branch } };
  }

  async #coinbase(height: number): Promise<{ txid: string; branch: readonly string[] }> {
    const first = { height, tx_pos: 0, merkle: true };
    const coinbase = await this.#client.call('blockchain.transaction.id_from_pos', first);
    if (typeof coinbase === 'string') throw badReply();
    return { txid: coinbase.tx_hash, branch: coinbase.merkle };
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#shared.get(key);
    // Each key begins with the kind of its value.
    if (asked !== undefined) return asked as Promise<T>;
    if (this.#shared.size >= MAX_SHARED) this.#shared.clear();
    const asking = ask();
    this.#shared.set(key, asking);
    return asking;
  }
}

function badReply(): ElectrumClientError {
  return new ElectrumClientError('bad-reply', 'the reply is of another kind than was asked for');
}
