import { concatBytes } from '../src/base/bytes.ts';
import { encodeHeader, hashOf, parseHeader } from '../src/bitcoin/block-header.ts';
import { targetOf } from '../src/bitcoin/compact-target.ts';
import { type NetworkParams, networkParams, type RetargetRule } from '../src/bitcoin/networks.ts';

export const START = 1_700_000_000;
export const EASIEST = 0x2007_ffff;
export const PERIOD = 8;

export interface NextHeader {
  readonly time: number;
  readonly bits?: number;
  /** Makes headers of the same parent differ. */
  readonly branch?: number;
}

export function mine(parent: Uint8Array, { time, bits, branch = 0 }: NextHeader): Uint8Array {
  const fields = {
    version: 4,
    previousHash: hashOf(parent),
    merkleRoot: branch.toString(16).padStart(64, '0'),
    time,
    bits: bits ?? parseHeader(parent).bits,
  };
  const target = targetOf(fields.bits);
  for (let nonce = 0; ; nonce += 1) {
    const header = encodeHeader({ ...fields, nonce });
    if (BigInt(`0x${hashOf(header)}`) <= target) return header;
  }
}

export function mineRow(parent: Uint8Array, rows: readonly NextHeader[]): Uint8Array {
  const headers: Uint8Array[] = [];
  for (const next of rows) headers.push(mine(headers.at(-1) ?? parent, next));
  return concatBytes(...headers);
}

/** A network on which a header takes some dozens of hashes. */
export function easyNetwork(retarget: RetargetRule, powLimit = EASIEST): NetworkParams {
  const genesis = encodeHeader({
    version: 1,
    previousHash: '00'.repeat(32),
    merkleRoot: '00'.repeat(32),
    time: START,
    bits: powLimit,
    nonce: 0,
  });
  const { addresses } = networkParams('regtest');
  return {
    genesis,
    genesisHash: hashOf(genesis),
    powLimit,
    retarget,
    periodBlocks: PERIOD,
    addresses,
  };
}

export function spaced(
  count: number,
  { from = 1, spacing = 600, branch = 0, bits = EASIEST } = {},
): NextHeader[] {
  return Array.from({ length: count }, (_, index) => ({
    time: START + (from + index) * spacing,
    branch,
    bits,
  }));
}
