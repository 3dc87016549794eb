import { equalBytes } from '../base/bytes.ts';
import { type Transaction } from '../bitcoin/transaction.ts';
import { bondOutputScript, type BondTerms } from './bond-script.ts';

/** An output that pays the script of a bond. */
export interface BondCoin {
  readonly txid: string;
  readonly vout: number;
  readonly sats: number;
}

/**
 * The largest output that pays the bond, or undefined when there is none: a bond is one output, so
 * several payments do not add up.
 */
export function largestCoin(
  transactions: readonly Transaction[],
  terms: BondTerms,
): BondCoin | undefined {
  const script = bondOutputScript(terms);
  const coins = transactions.flatMap(({ txid, outputs }) =>
    outputs.flatMap((output, vout): BondCoin[] =>
      equalBytes(output.script, script) ? [{ txid, vout, sats: Number(output.value) }] : [],
    ),
  );
  return coins.sort((a, b) => b.sats - a.sats)[0];
}
