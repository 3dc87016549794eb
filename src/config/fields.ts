import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { type Address, parseAddress } from '../io/dial.ts';

export const networkSchema = z.enum(['mainnet', 'testnet4', 'signet', 'regtest']);

/** `host:port` as text, an `Address` once read. */
export const addressSchema = z.string().transform((text, context): Address => {
  try {
    return parseAddress(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
    return z.NEVER;
  }
});
