import { compareMempoolItems, historyStatus } from '../electrum/history-status.ts';
import {
  type ChainTransaction,
  isCoinbase,
  type ChainOutput,
  type Outpoint,
} from './chain-transaction.ts';

/** Where a confirmed transaction is. */
export interface Place {
  readonly height: number;
  readonly position: number;
}

export interface LedgerEntry {
  readonly transaction: ChainTransaction;
  /** Satoshis; 0 for a coinbase. */
  readonly fee: bigint;
  /** Absent in the mempool. */
  readonly place?: Place;
  /** Whose histories it belongs to: of what it pays and of what it spends. */
  readonly scriptHashes: ReadonlySet<string>;
}

export interface LedgerItem {
  readonly txid: string;
  /** 0 in the mempool with all inputs confirmed, -1 in the mempool otherwise. */
  readonly height: number;
  /** Satoshis; in the mempool only. */
  readonly fee?: bigint;
}

export interface Unspent extends Outpoint {
  /** 0 in the mempool. */
  readonly height: number;
  /** Satoshis. */
  readonly value: bigint;
}

interface History {
  readonly items: readonly LedgerItem[];
  readonly status: string | null;
}

/** What may be asked of a ledger without changing it. */
export type ReadonlyLedger = Omit<
  Ledger,
  'admit' | 'confirm' | 'forget' | 'touchMempool' | 'takeTouched'
>;

const UNUSED: History = { items: [], status: null };

/** Every transaction of the chain and the mempool, who spends what, and the histories of scripts. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  /** In the order of arrival: parents before children. */
  readonly #mempool = new Map<string, LedgerEntry>();
  readonly #spenders = new Map<string, string>();
  readonly #users = new Map<string, Set<string>>();
  readonly #histories = new Map<string, History>();
  #touched = new Set<string>();

  get mempool(): ReadonlyMap<string, LedgerEntry> {
    return this.#mempool;
  }

  entry(txid: string): LedgerEntry | undefined {
    return this.#entries.get(txid);
  }

  output({ txid, vout }: Outpoint): ChainOutput | undefined {
    return this.#entries.get(txid)?.transaction.outputs[vout];
  }

  spenderOf(outpoint: Outpoint): string | undefined {
    return this.#spenders.get(keyOf(outpoint));
  }

  /** The transactions of a script in the order of their arrival, a reorganised one last. */
  usersOf(scriptHash: string): ReadonlySet<string> {
    return this.#users.get(scriptHash) ?? new Set();
  }

  /** In Electrum's order: the chain's, then the mempool's as protocol 1.6 sorts it. */
  history(scriptHash: string): readonly LedgerItem[] {
    return this.#historyOf(scriptHash).items;
  }

  status(scriptHash: string): string | null {
    return this.#historyOf(scriptHash).status;
  }

  /** What no transaction spends, not even one in the mempool, in the order of the history. */
  unspent(scriptHash: string): Unspent[] {
    return this.history(scriptHash).flatMap(({ txid, height }) =>
      this.#paidTo(scriptHash, txid)
        .filter((outpoint) => this.spenderOf(outpoint) === undefined)
        .map(({ vout, value }) => ({ txid, vout, value, height: Math.max(height, 0) })),
    );
  }

  /** Satoshis; `unconfirmed` is what the mempool adds to `confirmed` and may be negative. */
  balance(scriptHash: string): { readonly confirmed: bigint; readonly unconfirmed: bigint } {
    let confirmed = 0n;
    let all = 0n;
    for (const { txid, height } of this.history(scriptHash)) {
      for (const output of this.#paidTo(scriptHash, txid)) {
        const spender = this.spenderOf(output);
        if (spender === undefined) all += output.value;
        if (height > 0 && (spender === undefined || this.#mempool.has(spender))) {
          confirmed += output.value;
        }
      }
    }
    return { confirmed, unconfirmed: all - confirmed };
  }

  /** Takes a transaction whose inputs exist and are unspent into the mempool. */
  admit(transaction: ChainTransaction, fee: bigint): void {
    const entry = this.#insert(transaction, { fee });
    this.#mempool.set(transaction.txid, entry);
  }

  /** Puts a block's transaction in its place: a coinbase, or one that was in the mempool. */
  confirm(transaction: ChainTransaction, place: Place): void {
    const waiting = this.#mempool.get(transaction.txid);
    if (waiting === undefined) {
      this.#insert(transaction, { fee: 0n, place });
      return;
    }
    this.#mempool.delete(transaction.txid);
    this.#entries.set(transaction.txid, { ...waiting, place });
    this.#touch(waiting);
  }

  /** Forgets a transaction. Its descendants must have been forgotten before. */
  forget(txid: string): void {
    const entry = this.#entries.get(txid);
    if (entry === undefined) return;
    this.#entries.delete(txid);
    this.#mempool.delete(txid);
    for (const input of entry.transaction.inputs) this.#spenders.delete(keyOf(input));
    for (const scriptHash of entry.scriptHashes) this.#users.get(scriptHash)?.delete(txid);
    this.#touch(entry);
  }

  /** The transactions that spend its outputs, directly or not, children before parents; itself last. */
  withDescendants(txid: string): string[] {
    const found = new Set<string>();
    const visit = (parent: string): void => {
      const outputs = this.#entries.get(parent)?.transaction.outputs ?? [];
      for (const vout of outputs.keys()) {
        const spender = this.spenderOf({ txid: parent, vout });
        if (spender !== undefined && !found.has(spender)) visit(spender);
      }
      found.add(parent);
    };
    visit(txid);
    return [...found];
  }

  /** The heights 0 and -1 in the mempool depend on whether parents are confirmed. */
  touchMempool(): void {
    for (const entry of this.#mempool.values()) this.#touch(entry);
  }

  /** The scripts whose histories may have changed since the last call. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #insert(transaction: ChainTransaction, where: { fee: bigint; place?: Place }): LedgerEntry {
    const { txid, inputs, outputs } = transaction;
    const spent = inputs.flatMap((input) => this.output(input) ?? []);
    const scriptHashes = new Set([...outputs, ...spent].map(({ scriptHash }) => scriptHash));
    const entry: LedgerEntry = { transaction, scriptHashes, ...where };
    this.#entries.set(txid, entry);
    if (!isCoinbase(transaction)) {
      for (const input of inputs) this.#spenders.set(keyOf(input), txid);
    }
    for (const scriptHash of scriptHashes) {
      const users = this.#users.get(scriptHash);
      if (users === undefined) this.#users.set(scriptHash, new Set([txid]));
      else users.add(txid);
    }
    this.#touch(entry);
    return entry;
  }

  #touch({ scriptHashes }: LedgerEntry): void {
    for (const scriptHash of scriptHashes) {
      this.#touched.add(scriptHash);
      this.#histories.delete(scriptHash);
    }
  }

  #paidTo(scriptHash: string, txid: string): (ChainOutput & Outpoint)[] {
    const outputs = this.#entries.get(txid)?.transaction.outputs ?? [];
    return outputs
      .map((output, vout) => ({ ...output, txid, vout }))
      .filter((output) => output.scriptHash === scriptHash);
  }

  #historyOf(scriptHash: string): History {
    const users = this.#users.get(scriptHash);
    if (users === undefined) return UNUSED;
    const known = this.#histories.get(scriptHash);
    if (known !== undefined) return known;
    const history = this.#readHistory(users);
    this.#histories.set(scriptHash, history);
    return history;
  }

  #readHistory(users: ReadonlySet<string>): History {
    const entries = [...users].flatMap((txid) => this.#entries.get(txid) ?? []);
    const confirmed = entries
      .flatMap(({ transaction: { txid }, place }) => (place ? { txid, ...place } : []))
      .sort((a, b) => a.height - b.height || a.position - b.position)
      .map(({ txid, height }) => ({ txid, height }));
    const waiting = entries
      .filter(({ place }) => place === undefined)
      .map(({ transaction, fee }) => ({
        txid: transaction.txid,
        height: this.#hasWaitingParent(transaction) ? -1 : 0,
        fee,
      }))
      .sort(compareMempoolItems);
    const items: readonly LedgerItem[] = [...confirmed, ...waiting];
    return { items, status: historyStatus(items) };
  }

  #hasWaitingParent({ inputs }: ChainTransaction): boolean {
    return inputs.some(({ txid }) => this.#mempool.has(txid));
  }
}

function keyOf({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`;
}
