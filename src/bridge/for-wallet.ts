import { ElectrumRpcError, RPC_CODE } from '../electrum/rpc-error.ts';
import { LookupError } from '../lookup/fault.ts';

/** What the lookup comes to. @throws ElectrumRpcError that tells the wallet why it failed. */
export async function forWallet<T>(lookup: Promise<T>): Promise<T> {
  try {
    return await lookup;
  } catch (error) {
    if (!(error instanceof LookupError)) throw error;
    throw new ElectrumRpcError(RPC_CODE.daemonError, error.message, { cause: error });
  }
}
