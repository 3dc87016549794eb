import { Address, OutScript } from '@scure/btc-signer';
import { UserError } from '../base/errors.ts';
import { type Network, networkParams } from './networks.ts';

/**
 * The output script that pays an address.
 * @throws UserError unless it is an address of the network.
 */
export function scriptOfAddress(address: string, network: Network): Uint8Array {
  try {
    return OutScript.encode(Address(networkParams(network).addresses).decode(address));
  } catch (cause) {
    throw new UserError(`"${address}" is not an address on ${network}`, {
      cause,
      hint: 'Check the address and the network.',
    });
  }
}

/** The address of an output script, or undefined for one that has none. */
export function addressOfScript(script: Uint8Array, network: Network): string | undefined {
  try {
    return Address(networkParams(network).addresses).encode(OutScript.decode(script));
  } catch {
    return undefined;
  }
}
