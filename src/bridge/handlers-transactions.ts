import { fromHex, MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Network } from '../bitcoin/networks.ts';
import { txidOf } from '../bitcoin/transaction.ts';
import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import { type ElectrumHandlers } from '../electrum/session.ts';
import { type Confirmation, verboseTransaction } from '../electrum/verbose-transaction.ts';
import { type Lookup, type VerifiedTransaction } from '../lookup/lookup.ts';
import { isWaiting } from './answers.ts';
import { type Broadcasts } from './broadcasts.ts';
import { forWallet } from './for-wallet.ts';
import { type TransactionLookup } from './transaction-lookup.ts';
import { type WatchedScripts } from './watched-scripts.ts';

export interface TransactionHandlersOptions {
  readonly network: Network;
  readonly transactions: Pick<TransactionLookup, 'get'>;
  readonly watchList: Pick<WatchedScripts, 'entryAt'>;
  readonly broadcasts: Pick<Broadcasts, 'send'>;
  readonly lookup: Pick<Lookup, 'headers'>;
}

type TransactionMethod =
  | 'blockchain.transaction.get'
  | 'blockchain.transaction.get_merkle'
  | 'blockchain.transaction.id_from_pos'
  | 'blockchain.transaction.broadcast'
  | 'blockchain.transaction.broadcast_package';

/** Transactions that were verified, and those that a wallet sends. */
export function transactionHandlers({
  network,
  transactions,
  watchList,
  broadcasts,
  lookup,
}: TransactionHandlersOptions): Required<Pick<ElectrumHandlers, TransactionMethod>> {
  const confirmationOf = (found: VerifiedTransaction): Confirmation | undefined => {
    const { height } = found;
    const block = isWaiting(found) ? undefined : lookup.headers.headerAt(height);
    return block && { block, confirmations: lookup.headers.tip.height - height + 1 };
  };
  const broadcast = (raw: string, signal: AbortSignal): Promise<string> =>
    forWallet(broadcasts.send(transactionOf(raw), { signal }));
  return {
    'blockchain.transaction.get': async ({ tx_hash: txid, verbose }, { signal }) => {
      const found = await forWallet(transactions.get(txid, { signal }));
      if (!verbose) return toHex(found.raw);
      return verboseTransaction(found.raw, { network, confirmation: confirmationOf(found) });
    },
    'blockchain.transaction.get_merkle': async ({ tx_hash: txid, height }, { signal }) => {
      const found = await forWallet(transactions.get(txid, { signal }));
      const { branch, position } = found;
      if (found.height !== height || branch === undefined || position === undefined) {
        throw badRequest(`No transaction matching the requested hash found at height ${height}`);
      }
      return { block_height: height, merkle: [...branch], pos: position };
    },
    'blockchain.transaction.id_from_pos': ({ height, tx_pos: position, merkle }) => {
      const found = watchList.entryAt({ height, position });
      if (found?.branch === undefined) {
        throw badRequest('This server finds only what its wallets hold by its place in a block');
      }
      return merkle ? { tx_hash: found.txid, merkle: [...found.branch] } : found.txid;
    },
    'blockchain.transaction.broadcast': ({ raw_tx: raw }, { signal }) => broadcast(raw, signal),
    'blockchain.transaction.broadcast_package': async ({ raw_txs: raws }, { signal }) => {
      const txids = raws.map((raw) => txidOf(transactionOf(raw)));
      const errors: { txid: string; error: string }[] = [];
      for (const [index, raw] of raws.entries()) {
        try {
          await broadcast(raw, signal);
        } catch (error) {
          if (!(error instanceof ElectrumRpcError)) throw error;
          errors.push({ txid: txids[index] ?? '', error: error.message });
        }
      }
      return errors.length === 0 ? { success: true } : { success: false, errors };
    },
  };
}

/** @throws ElectrumRpcError unless it is a transaction. */
function transactionOf(raw: string): Uint8Array {
  const bytes = fromHex(raw);
  try {
    txidOf(bytes);
    return bytes;
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    throw badRequest('the transaction was rejected by network rules.\n\nTX decode failed\n');
  }
}

function badRequest(message: string): ElectrumRpcError {
  return new ElectrumRpcError(RPC_CODE.badRequest, message);
}
