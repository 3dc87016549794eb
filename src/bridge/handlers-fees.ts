import { type ElectrumHandlers } from '../electrum/session.ts';
import { type FeeCache } from './fee-cache.ts';
import { estimateFee, feeHistogram } from './fee-estimates.ts';

type FeeMethod =
  | 'blockchain.estimatefee'
  | 'blockchain.relayfee'
  | 'mempool.get_info'
  | 'mempool.get_fee_histogram';

/** Bitcoins for 1000 virtual bytes: what nodes pass on, whichever version they are of. */
const RELAY_FEE = 0.000_01;

/** Fees, from the same estimates for all wallets and all targets. */
export function feeHandlers(
  fees: Pick<FeeCache, 'rates'>,
): Required<Pick<ElectrumHandlers, FeeMethod>> {
  return {
    'blockchain.estimatefee': async ({ number }) => estimateFee(await fees.rates(), number),
    'blockchain.relayfee': () => RELAY_FEE,
    'mempool.get_info': () => ({
      mempoolminfee: RELAY_FEE,
      minrelaytxfee: RELAY_FEE,
      incrementalrelayfee: RELAY_FEE,
    }),
    'mempool.get_fee_histogram': async () => feeHistogram(await fees.rates()),
  };
}
