import type { Consensus } from '../directory/consensus.ts';
import type { Hello } from './frame-payload.ts';

/** In the order of the network byte (spec/relay.md section 5.3). */
const LINK_NETWORKS = ['mainnet', 'testnet4', 'signet', 'regtest'] as const;

export type LinkNetwork = (typeof LINK_NETWORKS)[number];

/** This end is a relay: it will send IN, and wants to be told its QUOTA. */
export const RELAY_CAPABILITY = 1;

export interface HelloOptions {
  readonly network: LinkNetwork;
  readonly capabilities: number;
  /** That this end goes by. */
  readonly consensus: Pick<Consensus, 'hash'> | undefined;
  /** Links of clients that this end serves now. Said less exactly, so that few see one come or go. */
  readonly clients?: number;
}

const MOST_CLIENTS = 2 ** 15;

export function helloOf({ network, capabilities, consensus, clients = 0 }: HelloOptions): Hello {
  return {
    network: LINK_NETWORKS.indexOf(network),
    capabilities,
    consensusHash: (consensus?.hash ?? new Uint8Array(16)).subarray(0, 16),
    clients: clients === 0 ? 0 : Math.min(MOST_CLIENTS, 2 ** (31 - Math.clz32(clients))),
  };
}
