import { connectTcp } from './connect-tcp.ts';
import { type Address, type Dial, DialError, formatAddress } from './dial.ts';
import { isPrivateAddress } from './private-address.ts';

/**
 * Dials one address and no other: a program beside this one, on this machine or on a network of its
 * containers.
 * @throws RangeError unless the address is numeric and private: then nothing is asked of a resolver,
 * and no connection leaves for the internet.
 */
export function privateDial(only: Address): Dial {
  if (!isPrivateAddress(only.host)) {
    throw new RangeError(`${formatAddress(only)} is not a private address`);
  }
  return async (address, { signal }) => {
    if (address.host !== only.host || address.port !== only.port) {
      throw new DialError(`${formatAddress(address)} is not the one address that may be dialled`);
    }
    return await connectTcp(only, signal);
  };
}
