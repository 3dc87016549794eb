import { toBase64 } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { BASE64_OF_33, BASE64_OF_64, bytesOf, HASH, NUMBER, parseNumber } from './fields.ts';
import { MAX_WEIGHT } from './limits.ts';

/** Coins locked for a node; what they are worth is not looked at here (spec/directory.md section 12). */
export interface Bond {
  /** 64 hexadecimal characters, as Bitcoin shows them. */
  readonly txid: string;
  readonly vout: number;
  readonly sats: number;
  /** Unix seconds. */
  readonly locktime: number;
  /** 33 bytes. */
  readonly publicKey: Uint8Array;
  /** In periods of 2016 blocks. */
  readonly expiry: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

const BOND_LINE = new RegExp(
  `^bond (${HASH}):(${NUMBER}) (${NUMBER}) (${NUMBER}) ` +
    `(${BASE64_OF_33}) (${NUMBER}) (${BASE64_OF_64})$`,
);

/** The line of a descriptor, without its end. */
export function renderBond(bond: Bond): string {
  const { txid, vout, sats, locktime, publicKey, expiry, signature } = bond;
  const coin = `${txid}:${vout} ${sats} ${locktime}`;
  return `bond ${coin} ${toBase64(publicKey)} ${expiry} ${toBase64(signature)}`;
}

/** @throws DirectoryError `malformed` unless `renderBond` writes just this line. */
export function parseBond(line: string): Bond {
  const [, txid, vout, sats, locktime, publicKey, expiry, signature] = (BOND_LINE.exec(line) ??
    []) as unknown as BondLineMatch;
  if (txid === undefined) throw new DirectoryError('malformed', 'the line bond is not right');
  return {
    txid,
    vout: parseNumber(vout),
    sats: parseNumber(sats, MAX_WEIGHT),
    locktime: parseNumber(locktime),
    publicKey: bytesOf(publicKey),
    expiry: parseNumber(expiry),
    signature: bytesOf(signature),
  };
}

/** The whole line and the seven groups of `BOND_LINE`, all of them there or none. */
type BondLineMatch = readonly [
  ...[line: string, txid: string | undefined, vout: string, sats: string, locktime: string],
  ...[publicKey: string, expiry: string, signature: string],
];
