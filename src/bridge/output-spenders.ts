import { isCoinbase, type TransactionInput } from '../bitcoin/transaction.ts';
import { type VerifiedEntry } from '../lookup/lookup.ts';

const NOBODY: readonly string[] = [];

/** Which transactions spend an output. More than one only while they are rivals. */
export class OutputSpenders {
  readonly #spenders = new Map<string, readonly string[]>();

  /** Their txids, oldest first. */
  of(input: TransactionInput): readonly string[] {
    return this.#spenders.get(outputOf(input)) ?? NOBODY;
  }

  add({ txid, transaction }: VerifiedEntry): void {
    if (isCoinbase(transaction)) return;
    for (const input of transaction.inputs) {
      this.#spenders.set(outputOf(input), [...this.of(input), txid]);
    }
  }

  remove({ txid, transaction }: VerifiedEntry): void {
    for (const input of transaction.inputs) {
      const others = this.of(input).filter((other) => other !== txid);
      if (others.length > 0) this.#spenders.set(outputOf(input), others);
      else this.#spenders.delete(outputOf(input));
    }
  }
}

function outputOf({ txid, vout }: TransactionInput): string {
  return `${txid}:${vout}`;
}
