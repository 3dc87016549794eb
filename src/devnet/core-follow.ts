import * as z from 'zod';
import { fromHex } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import type { RpcClient } from '../bitcoin/rpc-client.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { type ElectrumClient, startElectrumClient } from '../electrum/client.ts';
import { ElectrumClientError } from '../electrum/client-error.ts';
import { scriptHashOf } from '../electrum/script-hash.ts';
import { type Address, DialError } from '../io/dial.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { waitUntil } from '../io/wait-until.ts';
import type { ChainTip } from './chain-backend.ts';

/** bitcoind, and the Electrum server that hears from it a little later. */
export interface Core {
  readonly rpc: RpcClient;
  readonly listen: Address;
  /** Gives up the waiting. */
  readonly signal: AbortSignal;
}

const POLL_MS = 100;
const CALL_TIMEOUT_MS = 5_000;
const TIMEOUT_MS = 60_000;

const TIP = z.object({ blocks: z.int(), bestblockhash: z.string() });

export async function tipOf({ rpc, signal }: Pick<Core, 'rpc' | 'signal'>): Promise<ChainTip> {
  const info = await rpc.call({ method: 'getblockchaininfo', result: TIP, signal });
  return { height: info.blocks, hash: info.bestblockhash };
}

/** Waits until the Electrum server has the blocks that bitcoind has now. */
export async function awaitTip(core: Core, timeoutMs = TIMEOUT_MS): Promise<ChainTip> {
  const { rpc, signal } = core;
  const tip = await tipOf(core);
  const params = [tip.hash, false];
  const header = await rpc.call({ method: 'getblockheader', params, result: z.string(), signal });
  await awaitElectrum(core, timeoutMs, async (client) => {
    const { hex } = await client.call('blockchain.headers.subscribe', {});
    return hex === header;
  });
  return tip;
}

/** Waits until the Electrum server lists transactions of the mempool, once it has the tip. */
export async function awaitTransactions(core: Core, txids: readonly string[]): Promise<void> {
  const scripthashes = await Promise.all(txids.map((txid) => paidBy(core, txid)));
  await awaitElectrum(core, TIMEOUT_MS, async (client) => {
    const listed = txids.map(async (txid, index) => {
      const scripthash = scripthashes[index];
      if (scripthash === undefined) return true;
      const history = await client.call('blockchain.scripthash.get_history', { scripthash });
      return history.some(({ tx_hash }) => tx_hash === txid);
    });
    return (await Promise.all(listed)).every((isListed) => isListed);
  });
}

/** The script hash of a payment, or undefined when there is none: what is worth nothing has no history. */
async function paidBy({ rpc, signal }: Core, txid: string): Promise<string | undefined> {
  const call = { method: 'getrawtransaction', params: [txid], result: z.string(), signal };
  const { outputs } = parseTransaction(fromHex(await rpc.call(call)));
  const paid = outputs.find(({ value }) => value > 0n);
  return paid && scriptHashOf(paid.script);
}

async function awaitElectrum(
  { listen, signal }: Core,
  timeoutMs: number,
  isThere: (client: ElectrumClient) => Promise<boolean>,
): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    try {
      await using client = await startElectrumClient({
        dial: (abort) => loopbackDial(listen, { signal: abort, isolation: '' }),
        clientName: 'sotto',
        timeoutMs: CALL_TIMEOUT_MS,
        log: silent,
        signal,
      });
      return (await isThere(client)) || undefined;
    } catch (error) {
      // It does not listen before it has its index.
      if (error instanceof DialError || error instanceof ElectrumClientError) return undefined;
      throw error;
    }
  };
  const what = 'the Electrum server to follow bitcoind';
  await waitUntil(ask, { what, timeoutMs, intervalMs: POLL_MS, signal });
}
