import { MalformedBytesError } from '../base/bytes.ts';

/**
 * The 256-bit number that a block hash must not exceed, from the compact form in a header
 * (Bitcoin Core, arith_uint256::SetCompact).
 * @throws MalformedBytesError when it is zero, negative or longer than 256 bits.
 */
export function targetOf(bits: number): bigint {
  const size = bits >>> 24;
  const word = bits & 0x007f_ffff;
  const mantissa = size <= 3 ? word >>> (8 * (3 - size)) : word;
  if (mantissa === 0) throw new MalformedBytesError('the target is zero');
  if ((bits & 0x0080_0000) !== 0) throw new MalformedBytesError('the target is negative');
  const target = size <= 3 ? BigInt(mantissa) : BigInt(mantissa) << BigInt(8 * (size - 3));
  if (target >> 256n !== 0n) throw new MalformedBytesError('the target is over 256 bits');
  return target;
}

/** The compact form of a target, which keeps its highest 16 to 23 bits (arith_uint256::GetCompact). */
export function bitsOf(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2);
  let word = Number(
    size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)),
  );
  // The highest bit of the mantissa is a sign.
  if ((word & 0x0080_0000) !== 0) {
    word >>>= 8;
    size += 1;
  }
  return size * 0x0100_0000 + word;
}

/** How many hashes a block of these bits takes on average: 2^256 / (target + 1). */
export function workOf(bits: number): bigint {
  return (1n << 256n) / (targetOf(bits) + 1n);
}
