import { equalBytes } from '../base/bytes.ts';
import { type Transaction } from '../bitcoin/transaction.ts';
import { type TransactionProof } from '../query/transaction-body.ts';
import { type BondProof } from './bond-proof.ts';
import { bondOutputScript, type BondTerms } from './bond-script.ts';

/** A transaction of the history of the bond's script, proved to be in a block. */
export interface ProvedPayment {
  readonly raw: Uint8Array;
  readonly transaction: Transaction;
  readonly block: TransactionProof;
}

/** An output that pays the script of a bond. */
export interface BondCoin {
  readonly txid: string;
  readonly vout: number;
  readonly sats: number;
  readonly proof: BondProof;
}

/**
 * The largest output that pays the bond, or undefined when there is none: a bond is one output, so
 * several payments do not add up.
 */
export function largestCoin(
  payments: readonly ProvedPayment[],
  terms: BondTerms,
): BondCoin | undefined {
  const script = bondOutputScript(terms);
  const coins = payments.flatMap(({ raw, transaction, block }) =>
    transaction.outputs.flatMap((output, vout): BondCoin[] => {
      if (!equalBytes(output.script, script)) return [];
      const { txid } = transaction;
      return [{ txid, vout, sats: Number(output.value), proof: { raw, block } }];
    }),
  );
  return coins.sort((a, b) => b.sats - a.sats)[0];
}
