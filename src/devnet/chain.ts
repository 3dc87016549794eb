import { UserError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { type ChainBlock, genesisBlock, MAX_TEMPLATE_WEIGHT, mineBlock } from './chain-block.ts';
import { Ledger, type LedgerEntry, type ReadonlyLedger } from './chain-ledger.ts';
import { admissionOf, isMature, type NextBlock, TransactionRejectedError } from './chain-policy.ts';
import { inputsAreSigned } from './chain-script.ts';
import { type ChainTransaction, isCoinbase, readTransaction } from './chain-transaction.ts';
import {
  type Coin,
  type Payment,
  type PaymentOutput,
  type Purse,
  purseOf,
  shortfallOf,
  signPayment,
} from './purse.ts';

export interface ChainChange {
  /** Whether the chain has another tip. */
  readonly tip: boolean;
  /** The scripts whose histories may have changed. */
  readonly scriptHashes: ReadonlySet<string>;
}

export interface ChainOptions {
  /** Decides the miner's key. With the same clock and calls, two chains are equal byte by byte. */
  readonly seed: Uint8Array;
  readonly clock: Clock;
}

const MEDIAN_BLOCKS = 11;

/** A regtest chain and its mempool in memory: every header mined, every transaction signed. */
export class RegtestChain {
  readonly #miner: Purse;
  readonly #clock: Clock;
  readonly #blocks: ChainBlock[] = [];
  readonly #ledger = new Ledger();
  readonly #listeners = new Set<(change: ChainChange) => void>();
  #blocksMined = 0;

  constructor({ seed, clock }: ChainOptions) {
    this.#miner = purseOf(seed, 'miner');
    this.#clock = clock;
    // The first reward can never be spent, and Bitcoin Core does not know its transaction.
    this.#blocks.push(genesisBlock());
  }

  /** By height. */
  get blocks(): readonly ChainBlock[] {
    return this.#blocks;
  }

  get tip(): ChainBlock {
    const tip = this.#blocks.at(-1);
    if (tip === undefined) throw new Error('a chain has its first block');
    return tip;
  }

  get ledger(): ReadonlyLedger {
    return this.#ledger;
  }

  /** Calls the listener after every change until the function it returns is called. */
  subscribe(listener: (change: ChainChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Confirms the mempool, as far as it fits, in the first of the new blocks. */
  mine(count: number): void {
    for (let mined = 0; mined < count; mined += 1) this.#mineOn(this.#selectTransactions());
    this.#announce(count > 0);
  }

  /**
   * Pays from the miner's matured rewards and their change, and returns the txid.
   * @throws UserError when the miner has not enough.
   */
  pay(script: Uint8Array, amount: bigint): string {
    const transaction = signPayment(this.#miner, this.#fund([{ script, amount }]));
    this.#admit(transaction);
    this.#announce(false);
    return transaction.txid;
  }

  /**
   * Takes a signed transaction into the mempool, or finds it there, and returns its txid.
   * @throws TransactionRejectedError
   */
  broadcast(raw: Uint8Array): string {
    const transaction = decode(raw);
    const known = this.#ledger.entry(transaction.txid);
    if (known?.place !== undefined && this.#hasUnspentOutput(transaction)) {
      throw new TransactionRejectedError('Transaction outputs already in utxo set');
    }
    if (!this.#ledger.mempool.has(transaction.txid)) {
      this.#admit(transaction, inputsAreSigned);
      this.#announce(false);
    }
    return transaction.txid;
  }

  /**
   * Replaces the last blocks by one more empty ones. What was confirmed in them returns to the
   * mempool, but for what spends their rewards.
   */
  reorg(depth: number): void {
    if (!Number.isInteger(depth) || depth < 1 || depth >= this.#blocks.length) {
      throw new UserError(`cannot replace ${depth} of ${this.#blocks.length - 1} blocks`);
    }
    const disconnected = this.#blocks.splice(-depth).flatMap(({ transactions }) => transactions);
    const waiting = [...this.#ledger.mempool.values()].map(({ transaction }) => transaction);
    const displaced = [...disconnected, ...waiting];
    for (const { txid } of displaced.toReversed()) this.#ledger.forget(txid);
    for (let mined = 0; mined <= depth; mined += 1) this.#mineOn([]);
    for (const transaction of displaced) this.#readmit(transaction);
    this.#announce(true);
  }

  /** Whether no block spends one of its outputs, those aside that nobody can spend. */
  #hasUnspentOutput({ txid, outputs }: ChainTransaction): boolean {
    return outputs.some(({ script }, vout) => {
      const spender = this.#ledger.spenderOf({ txid, vout });
      return script[0] !== 0x6a && (spender === undefined || this.#ledger.mempool.has(spender));
    });
  }

  #admit(transaction: ChainTransaction, isSigned: typeof inputsAreSigned = () => true): void {
    const { fee, spent, replaced } = admissionOf(transaction, this.#ledger, this.#nextBlock());
    if (!isSigned(transaction, spent)) {
      throw new TransactionRejectedError(
        'mempool-script-verify-flag-failed ' +
          '(Signature must be zero for failed CHECK(MULTI)SIG operation)',
      );
    }
    for (const txid of replaced) this.#ledger.forget(txid);
    this.#ledger.admit(transaction, fee);
  }

  #readmit(transaction: ChainTransaction): void {
    if (isCoinbase(transaction)) return;
    try {
      this.#admit(transaction);
    } catch (error) {
      if (!(error instanceof TransactionRejectedError)) throw error;
    }
  }

  #nextBlock(): NextBlock {
    const times = this.#blocks.slice(-MEDIAN_BLOCKS).map(({ time }) => time);
    times.sort((a, b) => a - b);
    return {
      height: this.#blocks.length,
      medianTime: times[Math.floor(times.length / 2)] ?? 0,
    };
  }

  #selectTransactions(): LedgerEntry[] {
    let weight = 0;
    return [...this.#ledger.mempool.values()].filter(({ transaction }) => {
      weight += transaction.weight;
      return weight <= MAX_TEMPLATE_WEIGHT;
    });
  }

  #mineOn(entries: readonly LedgerEntry[]): void {
    this.#blocksMined += 1;
    this.#connect(
      mineBlock({
        previous: this.tip,
        time: Math.max(this.#nextBlock().medianTime + 1, Math.floor(this.#clock() / 1000)),
        transactions: entries.map(({ transaction }) => transaction),
        fees: entries.reduce((total, { fee }) => total + fee, 0n),
        rewardScript: this.#miner.script,
        extraNonce: this.#blocksMined,
      }),
    );
  }

  #connect(block: ChainBlock): void {
    this.#blocks.push(block);
    block.transactions.forEach((transaction, position) => {
      this.#ledger.confirm(transaction, { height: block.height, position });
    });
    this.#ledger.touchMempool();
  }

  #fund(outputs: readonly PaymentOutput[]): Payment {
    const payment: Payment & { readonly coins: Coin[] } = { coins: [], outputs };
    for (const coin of this.#matureCoins()) {
      payment.coins.push(coin);
      if (shortfallOf(payment) <= 0n) return payment;
    }
    throw new UserError(`the miner lacks ${shortfallOf(payment)} sat for this payment`, {
      hint: 'Mine more blocks: a reward can be spent after 100 more of them.',
    });
  }

  *#matureCoins(): Generator<Coin> {
    const height = this.#blocks.length;
    for (const txid of this.#ledger.usersOf(this.#miner.scriptHash)) {
      const entry = this.#ledger.entry(txid);
      if (entry === undefined || !isMature(entry, height)) continue;
      for (const [vout, { value, scriptHash }] of entry.transaction.outputs.entries()) {
        if (scriptHash !== this.#miner.scriptHash) continue;
        if (this.#ledger.spenderOf({ txid, vout }) === undefined) yield { txid, vout, value };
      }
    }
  }

  #announce(tip: boolean): void {
    const change: ChainChange = { tip, scriptHashes: this.#ledger.takeTouched() };
    for (const listener of this.#listeners) listener(change);
  }
}

function decode(raw: Uint8Array): ChainTransaction {
  try {
    return readTransaction(raw);
  } catch (cause) {
    throw new TransactionRejectedError(
      'TX decode failed. Make sure the tx has at least one input.',
      { cause },
    );
  }
}
