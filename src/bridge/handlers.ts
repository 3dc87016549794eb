import { networkParams } from '../bitcoin/networks.ts';
import { type ElectrumHandlers } from '../electrum/session.ts';
import { type Broadcasts } from './broadcasts.ts';
import { type FeeCache } from './fee-cache.ts';
import { feeHandlers } from './handlers-fees.ts';
import { headerHandlers } from './handlers-headers.ts';
import { scriptHandlers } from './handlers-scripts.ts';
import { transactionHandlers } from './handlers-transactions.ts';
import { type TransactionLookup } from './transaction-lookup.ts';
import { type MempoolFees } from './mempool-fees.ts';
import { type BridgeOptions } from './start-bridge.ts';
import { type SubscriptionMethod } from './wallet-subscriptions.ts';

/**
 * Sparrow and BlueWallet send batches to servers of some names only, which is what makes them bearable
 * over Tor: "electrumx" anywhere in it is one that both know.
 */
export const SERVER_NAME = 'Sotto bridge (electrumx-compatible)';

export interface HandlersOptions extends Pick<BridgeOptions, 'network' | 'lookup' | 'watchList'> {
  readonly estimates: FeeCache;
  readonly transactions: TransactionLookup;
  readonly fees: MempoolFees;
  readonly broadcasts: Broadcasts;
}

/** What all wallets are answered alike. */
export function bridgeHandlers(
  options: HandlersOptions,
): Required<Omit<ElectrumHandlers, SubscriptionMethod>> {
  const { network, lookup } = options;
  return {
    'server.features': () => ({
      genesis_hash: networkParams(network).genesisHash,
      hosts: {},
      protocol_min: '1.4',
      protocol_max: '1.6',
      server_version: SERVER_NAME,
      hash_function: 'sha256',
      pruning: null,
    }),
    'server.banner': () => 'You are connected to your own bridge: every answer was verified.',
    'server.donation_address': () => '',
    'server.peers.subscribe': () => [],
    ...headerHandlers(lookup.headers),
    ...feeHandlers(options.estimates),
    ...scriptHandlers(options),
    ...transactionHandlers(options),
  };
}
