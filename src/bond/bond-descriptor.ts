import { toHex } from '../base/bytes.ts';
import { type BondTerms } from './bond-script.ts';

const INPUT_CHARSET =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ ';
const CHECKSUM_CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const CHECKSUM_LENGTH = 8;
const GENERATOR = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn];

/**
 * What a wallet imports to spend the coins after their time: an output descriptor with its checksum
 * (BIPs 380, 382 and 379). `origin`, as `d34db33f/84h/0h/0h/0/7`, tells a signer which of its keys it is.
 */
export function bondDescriptor({ locktime, publicKey }: BondTerms, origin?: string): string {
  const key = `${origin === undefined ? '' : `[${origin}]`}${toHex(publicKey)}`;
  const descriptor = `wsh(and_v(v:pk(${key}),after(${locktime})))`;
  return `${descriptor}#${descriptorChecksum(descriptor)}`;
}

/** Eight characters (BIP 380). @throws RangeError at a character that no descriptor has. */
export function descriptorChecksum(descriptor: string): string {
  const positions = Array.from(descriptor, (character) => {
    const position = INPUT_CHARSET.indexOf(character);
    if (position < 0) throw new RangeError('a character that no descriptor has');
    return position;
  });
  const symbols = groupsOfThree(positions).flatMap((group) => [
    ...group.map((position) => position & 31),
    group.reduce((whole, position) => whole * 3 + (position >> 5), 0),
  ]);
  const sum = polymod([...symbols, ...Array<number>(CHECKSUM_LENGTH).fill(0)]) ^ 1n;
  return Array.from({ length: CHECKSUM_LENGTH }, (_, index) => {
    const symbol = Number((sum >> BigInt(5 * (CHECKSUM_LENGTH - 1 - index))) & 31n);
    return CHECKSUM_CHARSET.charAt(symbol);
  }).join('');
}

function groupsOfThree(values: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(values.length / 3) }, (_, index) =>
    values.slice(3 * index, 3 * index + 3),
  );
}

function polymod(symbols: readonly number[]): bigint {
  return symbols.reduce((sum, symbol) => {
    const top = sum >> 35n;
    const shifted = ((sum & 0x7ffffffffn) << 5n) ^ BigInt(symbol);
    return GENERATOR.reduce(
      (value, generator, bit) => ((top >> BigInt(bit)) & 1n ? value ^ generator : value),
      shifted,
    );
  }, 1n);
}
