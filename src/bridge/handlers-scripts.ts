import { type ElectrumHandlers, type SessionContext } from '../electrum/session.ts';
import { type VerifiedHistory } from '../lookup/lookup.ts';
import { balanceAnswer, historyAnswer, mempoolAnswer, unspentAnswer } from './answers.ts';
import { forWallet } from './for-wallet.ts';
import { type MempoolFees } from './mempool-fees.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface ScriptHandlersOptions {
  readonly watchList: Pick<WatchedScripts, 'history'>;
  readonly fees: Pick<MempoolFees, 'feesOf'>;
}

type ScriptMethod =
  | 'blockchain.scripthash.get_history'
  | 'blockchain.scripthash.get_mempool'
  | 'blockchain.scripthash.get_balance'
  | 'blockchain.scripthash.listunspent';

/** All that is asked of one script, from its one verified history. */
export function scriptHandlers({
  watchList,
  fees,
}: ScriptHandlersOptions): Required<Pick<ElectrumHandlers, ScriptMethod>> {
  const historyOf = (
    { scripthash }: { readonly scripthash: string },
    { signal }: SessionContext,
  ): Promise<VerifiedHistory> => forWallet(watchList.history(scripthash, { signal }));
  return {
    'blockchain.scripthash.get_history': async (script, context) => {
      const history = await historyOf(script, context);
      return historyAnswer(history, await fees.feesOf(history));
    },
    'blockchain.scripthash.get_mempool': async (script, context) => {
      const history = await historyOf(script, context);
      return mempoolAnswer(history, await fees.feesOf(history));
    },
    'blockchain.scripthash.get_balance': async (script, context) =>
      balanceAnswer(await historyOf(script, context)),
    'blockchain.scripthash.listunspent': async (script, context) =>
      unspentAnswer(await historyOf(script, context)),
  };
}
