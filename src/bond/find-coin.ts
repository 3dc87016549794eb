import { equalBytes } from '../base/bytes.ts';
import { type Transaction } from '../bitcoin/transaction.ts';
import { MAX_BOND_TRANSACTION_BYTES } from './bond-proof.ts';
import { bondOutputScript, type BondTerms } from './bond-script.ts';

/** An output that pays the script of a bond. */
export interface BondCoin {
  readonly txid: string;
  readonly vout: number;
  readonly sats: number;
}

/**
 * The largest output that pays the bond and can be proved, or undefined when there is none: a bond is one
 * output, so several payments do not add up.
 */
export function largestCoin(
  transactions: readonly Transaction[],
  terms: BondTerms,
): BondCoin | undefined {
  const small = transactions.filter((each) => each.strippedSize <= MAX_BOND_TRANSACTION_BYTES);
  return coinsIn(small, terms)[0];
}

/** All outputs that pay the bond, the largest first. */
export function coinsIn(
  transactions: readonly Transaction[],
  terms: BondTerms,
): readonly BondCoin[] {
  const script = bondOutputScript(terms);
  const coins = transactions.flatMap(({ txid, outputs }) =>
    outputs.flatMap((output, vout): BondCoin[] =>
      equalBytes(output.script, script) ? [{ txid, vout, sats: Number(output.value) }] : [],
    ),
  );
  return coins.sort((a, b) => b.sats - a.sats);
}
