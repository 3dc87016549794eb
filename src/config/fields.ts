import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { type Address, parseAddress } from '../io/dial.ts';
import { isPrivateAddress } from '../io/private-address.ts';

export const networkSchema = z.enum(['mainnet', 'testnet4', 'signet', 'regtest']);

/** `host:port` as text, an `Address` once read. */
const addressSchema = z.string().transform((text, context): Address => {
  try {
    return parseAddress(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
    return z.NEVER;
  }
});

const ANY_INTERFACE = '0.0.0.0';

/** Of a program beside this one: numeric, so that no resolver is asked, and never on the internet. */
export const privateAddressSchema = addressSchema.refine(({ host }) => isPrivateAddress(host), {
  error: 'expected a numeric address of this machine or of a private network, such as 127.0.0.1',
});

/** Where to listen: a private address, or 0.0.0.0 for all of a container's. */
export const listenAddressSchema = addressSchema.refine(
  ({ host }) => host === ANY_INTERFACE || isPrivateAddress(host),
  { error: 'expected a numeric private address, or 0.0.0.0 in a container' },
);
