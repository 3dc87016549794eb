import { z } from 'zod';
import { BitcoinRpcError, RPC_IN_WARMUP } from '../../bitcoin/rpc-client.ts';
import type { Backend } from '../backend.ts';
import type { BitcoindObservation } from './observations.ts';

export interface BitcoindProbe {
  /** @throws BitcoinRpcError; DialError when bitcoind does not answer. */
  observe(signal: AbortSignal): Promise<BitcoindObservation>;
  /** Which part of all transactions the blocks up to a height hold: 0 to 1. */
  partOfWork(height: number, signal: AbortSignal): Promise<number>;
}

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const CHAIN_INFO = z.looseObject({
  blocks: count,
  headers: count,
  time: count,
  verificationprogress: z.number().min(0),
  initialblockdownload: z.boolean(),
});
const PEERS = z.array(z.looseObject({ presynced_headers: z.int().default(-1) }));
const INDEXES = z.record(z.string(), z.looseObject({ best_block_height: count }));
const CHAIN_TIPS = z.array(z.looseObject({ height: count, hash, status: z.string() }));
const HEADER = z.looseObject({ time: count });
const TRANSACTIONS = z.looseObject({ txcount: count });

/** Branches that bitcoind knows to be wrong. */
const REFUSED_TIP = 'invalid';

export function bitcoindProbe(backend: Pick<Backend, 'callBitcoind'>): BitcoindProbe {
  /** Asking for all branches holds bitcoind up: only when there are new headers. */
  let newest: { readonly headers: number; readonly time: number } | undefined;

  const newestHeaderTime = async (headers: number, signal: AbortSignal): Promise<number> => {
    if (newest?.headers === headers) return newest.time;
    const tips = await backend.callBitcoind({ method: 'getchaintips', result: CHAIN_TIPS, signal });
    const [best] = tips
      .filter(({ status }) => status !== REFUSED_TIP)
      .sort((one, other) => other.height - one.height);
    if (best === undefined) throw new RangeError('bitcoind knows no chain');
    const params = [best.hash];
    const header = { method: 'getblockheader', params, result: HEADER, signal };
    const { time } = await backend.callBitcoind(header);
    newest = { headers, time };
    return time;
  };

  return {
    async observe(signal) {
      try {
        const [chain, peers, indexes] = await Promise.all([
          backend.callBitcoind({ method: 'getblockchaininfo', result: CHAIN_INFO, signal }),
          backend.callBitcoind({ method: 'getpeerinfo', result: PEERS, signal }),
          backend.callBitcoind({ method: 'getindexinfo', result: INDEXES, signal }),
        ]);
        const { headers, initialblockdownload: initialBlockDownload } = chain;
        const presynced = Math.max(-1, ...peers.map((peer) => peer.presynced_headers));
        return {
          blocks: chain.blocks,
          headers,
          progress: chain.verificationprogress,
          initialBlockDownload,
          tipTime: chain.time,
          newestHeaderTime: initialBlockDownload
            ? await newestHeaderTime(headers, signal)
            : undefined,
          peers: peers.length,
          presyncedHeaders: presynced < 0 ? undefined : presynced,
          txindexHeight: indexes['txindex']?.best_block_height,
        };
      } catch (error) {
        const isWarmUp = error instanceof BitcoinRpcError && error.code === RPC_IN_WARMUP;
        if (isWarmUp) return { warmUp: error.message };
        throw error;
      }
    },

    async partOfWork(height, signal) {
      const transactionsUpTo = async (params: readonly unknown[]): Promise<number> => {
        const stats = { method: 'getchaintxstats', params, result: TRANSACTIONS, signal };
        return (await backend.callBitcoind(stats)).txcount;
      };
      const at = { method: 'getblockhash', params: [height], result: hash, signal };
      const indexed = await transactionsUpTo([0, await backend.callBitcoind(at)]);
      return indexed / (await transactionsUpTo([0]));
    },
  };
}
