import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type Network, networkParams } from '../bitcoin/networks.ts';
import type { ElectrumClient } from './client.ts';
import { HeaderChain } from './header-chain.ts';
import { syncHeaders } from './header-sync.ts';
import { electrumHeaderSource } from './electrum-header-source.ts';
import { WaitTimeoutError, waitUntil } from '../io/wait-until.ts';

export interface FollowHeadersOptions {
  readonly client: ElectrumClient;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up the first synchronisation. */
  readonly signal: AbortSignal;
  readonly onProgress?: (height: number) => void;
}

/** The chain as far as the target knows it, verified. */
export interface FollowedHeaders extends AsyncDisposable {
  readonly chain: HeaderChain;
  /** To be called after each reconnection: the target has forgotten that we want new blocks. */
  resume(): void;
  /** Waits a little for a block of this height; resolves also when it does not come. */
  reach(height: number, options: { readonly signal: AbortSignal }): Promise<void>;
}

const RETRY_MS = 1000;
const REACH_MS = 3000;
const REACH_INTERVAL_MS = 20;

/** Fetches and verifies the headers of the target, then every new one it tells. */
export async function followHeaders(options: FollowHeadersOptions): Promise<FollowedHeaders> {
  const { client, network, clock, log, signal, onProgress } = options;
  const chain = new HeaderChain(networkParams(network), clock);
  const source = electrumHeaderSource('target', client);
  const stop = new AbortController();
  const sync = async (until: AbortSignal): Promise<void> => {
    await syncHeaders({
      chain,
      sources: [source],
      signal: until,
      onProgress: ({ height }) => onProgress?.(height),
    });
  };
  const follow = async (): Promise<void> => {
    for (;;) {
      try {
        await sync(stop.signal);
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        log.warn('the headers of the target are refused', { reason: messageOf(error) });
        await sleep(RETRY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };
  let following: Promise<void> = Promise.resolve();
  let waiting = false;
  /** Blocks that come while a synchronisation runs share the next one. */
  const followSoon = (): void => {
    if (waiting) return;
    waiting = true;
    following = following.then(() => {
      waiting = false;
      return follow();
    });
  };
  const unsubscribe = client.on('blockchain.headers.subscribe', followSoon);
  const subscribe = async (until: AbortSignal): Promise<void> => {
    await client.call('blockchain.headers.subscribe', {}, { signal: until });
  };
  await subscribe(signal);
  await sync(signal);
  return {
    chain,
    resume: () => {
      subscribe(stop.signal).then(followSoon, (error: unknown) => {
        log.warn('the target tells no new blocks', { reason: messageOf(error) });
      });
    },
    reach: async (height, waiting) => {
      const options = { what: 'a header', timeoutMs: REACH_MS, intervalMs: REACH_INTERVAL_MS };
      try {
        await waitUntil(() => chain.tip.height >= height || undefined, { ...options, ...waiting });
      } catch (error) {
        if (!(error instanceof WaitTimeoutError)) throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      unsubscribe();
      stop.abort();
      await following;
    },
  };
}
