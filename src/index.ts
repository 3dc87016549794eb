export { UserError } from './base/errors.ts';
export { type Logger, silent } from './base/log.ts';
export { scriptOfAddress } from './bitcoin/address.ts';
export type { Network } from './bitcoin/networks.ts';
export { DirectoryError, type DirectoryErrorCode } from './directory/directory-error.ts';
export { type Policy, parsePolicy } from './directory/policy.ts';
export { scriptHashOf } from './electrum/script-hash.ts';
export { type Address, type Dial, DialError } from './io/dial.ts';
export { socksDial } from './io/socks-dial.ts';
export { type Culprit, LookupError, type LookupErrorCode } from './lookup/fault.ts';
export type {
  AnswerSource,
  FeeRate,
  Lookup,
  Unspent,
  VerifiedEntry,
  VerifiedHistory,
} from './lookup/lookup.ts';
export { openDirectLookup, type OpenDirectLookupOptions } from './lookup/open-direct-lookup.ts';
export { openRelayedLookup, type OpenRelayedLookupOptions } from './lookup/open-relayed-lookup.ts';
