import { InvalidArgumentError, Option } from 'commander';
import { fromHex } from '../base/bytes.ts';
import { type BondTerms, isPublicKey, MAX_LOCKTIME, MIN_LOCKTIME } from '../bond/bond-script.ts';
import { type NodeId } from '../directory/node-id.ts';
import { wholeNumber } from './whole-number.ts';

// Whose coins are locked until when: the two options that make a bond's address, always the same. And for
// which node: those of its certificate.

export interface TermsOptions {
  readonly key: Uint8Array;
  readonly until: number;
}

export const keyOption = new Option('--key <hex>', 'public key of an address of your wallet')
  .argParser(publicKey)
  .makeOptionMandatory();

export const untilOption = new Option(
  '--until <day>',
  'day on which the coins are free, as 2027-12-31',
)
  .argParser(dayInSeconds)
  .makeOptionMandatory();

export const originOption = new Option(
  '--origin <path>',
  'of the key, as d34db33f/84h/0h/0h/0/7, for signers to find it',
).argParser(keyOrigin);

export const nodeOption = (): Option =>
  new Option('--node <id>', 'your node').argParser(nodeIdArgument);

/** Periods in 40,000 years: of those that a certificate may have, the chain decides. */
const MAX_PERIOD = 1_000_000;

export const expiryOption = new Option(
  '--expiry <period>',
  'first period of 2016 blocks in which the certificate does not hold',
).argParser(wholeNumber(1, MAX_PERIOD));

export const signatureOption = new Option(
  '--signature <line>',
  'the signed certificate, as your wallet shows it',
);

export function termsOf({ key, until }: TermsOptions): BondTerms {
  return { publicKey: key, locktime: until };
}

/** The day a lock time is the beginning of, in UTC. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** @throws InvalidArgumentError */
function publicKey(text: string): Uint8Array {
  if (!/^0[23][0-9a-f]{64}$/.test(text)) {
    throw new InvalidArgumentError(
      'It is 66 hexadecimal characters, of which the first two are 02 or 03. Electrum: getpubkeys ADDRESS.',
    );
  }
  const key = fromHex(text);
  if (isPublicKey(key)) return key;
  throw new InvalidArgumentError('Nobody can have this key: at least one character is wrong.');
}

/** @throws InvalidArgumentError */
function keyOrigin(text: string): string {
  if (/^[0-9a-f]{8}(\/\d{1,10}[h']?)*$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It is the fingerprint of the wallet and the path of the key, as d34db33f/84h/0h/0h/0/7.',
  );
}

/** @throws InvalidArgumentError */
function dayInSeconds(text: string): number {
  const seconds = Date.parse(`${text}T00:00:00Z`) / 1000;
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || !(seconds <= MAX_LOCKTIME) || dayOf(seconds) !== text) {
    throw new InvalidArgumentError('It is a day such as 2027-12-31, 2038-01-19 or before.');
  }
  if (seconds > Math.max(Date.now() / 1000, MIN_LOCKTIME)) return seconds;
  throw new InvalidArgumentError('That day has come: nothing would be locked.');
}

/** @throws InvalidArgumentError */
function nodeIdArgument(text: string): NodeId {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw new InvalidArgumentError('A node id is 32 hexadecimal characters; sotto status shows it.');
}
