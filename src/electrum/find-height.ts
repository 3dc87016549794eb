import type { Transaction } from '../bitcoin/transaction.ts';
import type { ElectrumClient } from './client.ts';
import { ElectrumRpcError } from './rpc-error.ts';
import { scriptHashOf } from './script-hash.ts';

/** A server may refuse the history of a script that much is paid to, so another one is tried. */
const TRIED_OUTPUTS = 3;
const OP_RETURN = 0x6a;

/**
 * Where a transaction is. The Electrum protocol tells it only in histories, so that of a script that
 * the transaction pays is read. Resolves to 0 or -1 in the mempool; undefined when no history has it.
 * @throws ElectrumClientError; the signal's reason.
 */
export async function findHeight(
  client: Pick<ElectrumClient, 'call'>,
  { txid, outputs }: Pick<Transaction, 'txid' | 'outputs'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<number | undefined> {
  const indexed = outputs.filter(({ script }) => script[0] !== OP_RETURN);
  for (const { script } of indexed.slice(0, TRIED_OUTPUTS)) {
    const scripthash = scriptHashOf(script);
    try {
      const method = 'blockchain.scripthash.get_history';
      const items = await client.call(method, { scripthash }, { signal });
      const found = items.find(({ tx_hash }) => tx_hash === txid);
      if (found !== undefined) return found.height;
    } catch (error) {
      if (!(error instanceof ElectrumRpcError)) throw error;
    }
  }
  return undefined;
}
