import type { Network } from './networks.ts';

/** Source: Bitcoin Core, kernel/chainparams.cpp. */
const PORTS: Readonly<Record<Network, number>> = {
  mainnet: 8333,
  testnet4: 48_333,
  signet: 38_333,
  regtest: 18_444,
};

/** Where nodes of a network listen unless they say otherwise. */
export function defaultP2pPort(network: Network): number {
  return PORTS[network];
}
