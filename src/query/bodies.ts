import { fromHex, MalformedBytesError } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { arrayOf, integerOf, mapOf, textOf } from '../base/cbor-fields.ts';
import { hashOf } from './hash.ts';
import { MAX_BODY_BYTES, MAX_BROADCAST_PARTS, MAX_SATOSHIS, MAX_U32 } from './limits.ts';

// The bodies of STATUS, UNSPENT, BROADCAST, FEES, INFO and TX_REJECTED: spec/relay.md sections 4.5 to
// 4.9. Every decoder throws MalformedBytesError unless the body is one that its encoder makes.

export interface StatusBody {
  /** As Electrum computes it, 32 bytes in hex; null when the history is empty. */
  readonly status: string | null;
  /** Entries of the history. */
  readonly total: number;
}

export function encodeStatusBody({ status, total }: StatusBody): Cbor {
  return new Map<number, Cbor>([
    [1, status === null ? null : fromHex(status)],
    [2, total],
  ]);
}

export function decodeStatusBody(body: Cbor): StatusBody {
  const map = mapOf(body, [1, 2]);
  const total = integerOf(map.get(2), { max: MAX_U32 });
  const status = map.get(1) === null ? null : hashOf(map.get(1));
  if ((status === null) !== (total === 0)) throw new MalformedBytesError('status');
  return { status, total };
}

/** An output that the gateway says is unspent: a claim, which the history proves or refutes. */
export interface UnspentClaim {
  readonly txid: string;
  readonly vout: number;
  /** Satoshis. */
  readonly value: bigint;
  /** 0 in the mempool. */
  readonly height: number;
}

/** More of them than this, of at most 54 bytes each, go on another page. */
export const UNSPENT_PAGE = Math.floor((MAX_BODY_BYTES - 5) / 54);

export function encodeUnspentBody(unspent: readonly UnspentClaim[]): Cbor {
  const rows = unspent.map(({ txid, vout, value, height }) => [
    fromHex(txid),
    vout,
    Number(value),
    height,
  ]);
  return new Map([[1, rows]]);
}

export function decodeUnspentBody(body: Cbor): readonly UnspentClaim[] {
  return arrayOf(mapOf(body, [1]).get(1), { max: UNSPENT_PAGE }).map((row) => {
    const [txid, vout, value, height] = arrayOf(row, { min: 4, max: 4 });
    return {
      txid: hashOf(txid),
      vout: integerOf(vout, { max: MAX_U32 }),
      value: BigInt(integerOf(value, { max: MAX_SATOSHIS })),
      height: integerOf(height, { max: MAX_U32 }),
    };
  });
}

export interface BroadcastBody {
  /** Once all parts are there and the network has taken the transaction. */
  readonly txid: string | null;
  /** Parts of this upload that the gateway holds. */
  readonly held: number;
}

export function encodeBroadcastBody({ txid, held }: BroadcastBody): Cbor {
  return new Map<number, Cbor>([
    [1, txid === null ? null : fromHex(txid)],
    [2, held],
  ]);
}

export function decodeBroadcastBody(body: Cbor): BroadcastBody {
  const map = mapOf(body, [1, 2]);
  return {
    txid: map.get(1) === null ? null : hashOf(map.get(1)),
    held: integerOf(map.get(2), { max: MAX_BROADCAST_PARTS }),
  };
}

/** What to pay for a confirmation within so many blocks. */
export interface FeeEstimate {
  readonly targetBlocks: number;
  readonly satoshisPerKvB: number;
}

const MAX_FEE_ESTIMATES = 25;
const MAX_TARGET_BLOCKS = 1008;

/** By rising target, each target once. */
export function encodeFeesBody(estimates: readonly FeeEstimate[]): Cbor {
  const rows = estimates.map(({ targetBlocks, satoshisPerKvB }) => [targetBlocks, satoshisPerKvB]);
  return new Map([[1, rows]]);
}

export function decodeFeesBody(body: Cbor): readonly FeeEstimate[] {
  let previous = 0;
  return arrayOf(mapOf(body, [1]).get(1), { max: MAX_FEE_ESTIMATES }).map((row) => {
    const [target, rate] = arrayOf(row, { min: 2, max: 2 });
    const targetBlocks = integerOf(target, { min: previous + 1, max: MAX_TARGET_BLOCKS });
    previous = targetBlocks;
    return { targetBlocks, satoshisPerKvB: integerOf(rate, { max: MAX_SATOSHIS }) };
  });
}

export interface InfoBody {
  /** Name and version, at most 64 bytes. */
  readonly software: string;
  /** The newest version of the Electrum protocol, at most 16 bytes. */
  readonly electrum: string;
  /** A set of bits; those not known are ignored. */
  readonly capabilities: number;
}

export function encodeInfoBody({ software, electrum, capabilities }: InfoBody): Cbor {
  return new Map<number, Cbor>([
    [1, software],
    [2, electrum],
    [3, capabilities],
  ]);
}

export function decodeInfoBody(body: Cbor): InfoBody {
  const map = mapOf(body, [1, 2, 3]);
  return {
    software: textOf(map.get(1), 64),
    electrum: textOf(map.get(2), 16),
    capabilities: integerOf(map.get(3), { max: MAX_U32 }),
  };
}

const MAX_REJECTION_BYTES = 256;

/** The body of TX_REJECTED: the reason in the network's words. */
export function decodeRejectionBody(body: Cbor): string {
  return textOf(body, MAX_REJECTION_BYTES);
}
