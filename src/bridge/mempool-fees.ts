import { setMaxListeners } from 'node:events';
import { BoundedCache } from '../base/bounded-cache.ts';
import { type Logger } from '../base/log.ts';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';
import { type Fees, isWaiting } from './answers.ts';
import { type TransactionLookup } from './transaction-lookup.ts';
import { lookupReason } from './lookup-reason.ts';
import { waitAtMost } from './wait-at-most.ts';

export interface MempoolFeesOptions {
  readonly transactions: Pick<TransactionLookup, 'get'>;
  readonly log: Logger;
}

const KEPT = 10_000;
/** Who pays a wallet may spend thousands of outputs; each is a question to somebody. */
const MAX_PARENTS = 50;
/** Electrum gives up after 30 seconds. */
const WAIT_MS = 10_000;

/**
 * What unconfirmed transactions pay: the outputs that they spend less those that they make. A wallet
 * is not told what a server says of it, and not kept waiting for what cannot be found out.
 */
export class MempoolFees implements AsyncDisposable {
  readonly #options: MempoolFeesOptions;
  /** By txid, which settles the fee. */
  readonly #known = new BoundedCache<number>(KEPT, () => 1);
  readonly #finding = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: MempoolFeesOptions) {
    this.#options = options;
    // Each question that is under way listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Of all that no block holds, but for those that are not found out in time. */
  async feesOf({ entries }: VerifiedHistory): Promise<Fees> {
    const waiting = entries.filter(isWaiting);
    const finding = waiting.flatMap((entry) => this.#find(entry) ?? []);
    if (finding.length > 0) await waitAtMost(Promise.all(finding), WAIT_MS);
    return new Map(
      waiting.flatMap(({ txid }) => {
        const fee = this.#known.get(txid);
        return fee === undefined ? [] : [[txid, fee]];
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the bridge stops'));
    await Promise.all(this.#finding.values());
  }

  /** Undefined when it is known, or will not be. */
  #find(entry: VerifiedEntry): Promise<void> | undefined {
    const { txid } = entry;
    if (this.#known.get(txid) !== undefined) return undefined;
    const under = this.#finding.get(txid);
    if (under !== undefined) return under;
    const parents = new Set(entry.transaction.inputs.map((input) => input.txid));
    if (parents.size > MAX_PARENTS) return undefined;
    const finding = this.#learn(entry, [...parents]).finally(() => this.#finding.delete(txid));
    this.#finding.set(txid, finding);
    return finding;
  }

  async #learn({ txid, transaction }: VerifiedEntry, parents: readonly string[]): Promise<void> {
    const { transactions, log } = this.#options;
    const { signal } = this.#closing;
    try {
      const found = await Promise.all(
        parents.map((parent) => transactions.get(parent, { signal })),
      );
      const outputs = new Map(found.map((parent) => [parent.txid, parent.transaction.outputs]));
      const spent = transaction.inputs.map((input) => outputs.get(input.txid)?.[input.vout]?.value);
      if (spent.includes(undefined)) return;
      const paid = sum(spent.map((value) => value ?? 0n));
      const fee = paid - sum(transaction.outputs.map(({ value }) => value));
      if (fee >= 0n) this.#known.set(txid, Number(fee));
    } catch (error) {
      if (signal.aborted) return;
      log.debug('the fee of a transaction was not found out', { reason: lookupReason(error) });
    }
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
