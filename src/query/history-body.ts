import { fromHex, MalformedBytesError } from '../base/bytes.ts';
import { type Cbor, cborLength } from '../base/cbor.ts';
import { arrayOf, boundedBytesOf, integerOf, mapOf } from '../base/cbor-fields.ts';
import { type BlockProof } from '../electrum/block-proof.ts';
import { proofFields, proofOf } from './block-proof.ts';
import { hashOf } from './hash.ts';
import { MAX_BODY_BYTES, MAX_U32 } from './limits.ts';

/** The answer to HISTORY, or one page of it: spec/relay.md section 4.3. */
export interface HistoryBody {
  /** Entries of the whole history. */
  readonly total: number;
  /** The index of the first entry of this page. */
  readonly first: number;
  readonly entries: readonly HistoryEntry[];
  /** Of the whole history, as Electrum computes it: 32 bytes in hex; null when it is empty. */
  readonly status: string | null;
}

export interface HistoryEntry {
  readonly txid: string;
  /** 0 in the mempool, -1 there with a parent that is there too. */
  readonly height: number;
  readonly proof: BlockProof | undefined;
  readonly raw: Uint8Array | undefined;
}

/** What the entries of one page may take: the body less its other fields, 52 bytes at most. */
const MAX_ENTRIES_BYTES = MAX_BODY_BYTES - 52;

/**
 * The first entries, as many as fit. One that would not fit even alone goes without its raw
 * transaction, which the client then asks for with TX.
 */
export function packHistory(
  entries: readonly HistoryEntry[],
  budget: number = MAX_ENTRIES_BYTES,
): readonly HistoryEntry[] {
  const page: HistoryEntry[] = [];
  let left = budget;
  for (const entry of entries) {
    const whole = encodedLength(entry);
    const packed = whole > budget ? { ...entry, raw: undefined } : entry;
    left -= packed === entry ? whole : encodedLength(packed);
    if (left < 0) break;
    page.push(packed);
  }
  return page;
}

export function encodeHistoryBody({ total, first, entries, status }: HistoryBody): Cbor {
  return new Map<number, Cbor>([
    [1, total],
    [2, first],
    [3, entries.map(entryFields)],
    [4, status === null ? null : fromHex(status)],
  ]);
}

/** @throws MalformedBytesError unless the body is one that `encodeHistoryBody` makes. */
export function decodeHistoryBody(body: Cbor): HistoryBody {
  const map = mapOf(body, [1, 2, 3, 4]);
  const total = integerOf(map.get(1), { max: MAX_U32 });
  const first = integerOf(map.get(2), { max: total });
  const entries = arrayOf(map.get(3), { max: total - first }).map(entryOf);
  const status = map.get(4) === null ? null : hashOf(map.get(4));
  if ((status === null) !== (total === 0)) throw new MalformedBytesError('status');
  return { total, first, entries, status };
}

/** `[height, txid, position, branch, raw, coinbase]`: absent ones are null, or cut off at the end. */
function entryFields({ height, txid, proof, raw }: HistoryEntry): readonly Cbor[] {
  const [position, branch, coinbase] = proof ? proofFields(proof) : [null, null, null];
  const fields: readonly Cbor[] = [height, fromHex(txid), position, branch, raw ?? null, coinbase];
  return fields.slice(0, fields.findLastIndex((field) => field !== null) + 1);
}

function entryOf(value: Cbor): HistoryEntry {
  const fields = arrayOf(value, { min: 2, max: 6 });
  if (fields.at(-1) === null) throw new MalformedBytesError('null at the end');
  const [height, txid, position = null, branch = null, raw = null, coinbase = null] = fields;
  const entry = {
    height: integerOf(height, { min: -1, max: MAX_U32 }),
    txid: hashOf(txid),
    raw: raw === null ? undefined : boundedBytesOf(raw, { min: 1, max: MAX_BODY_BYTES }),
  };
  if (position === null && branch === null && coinbase === null) {
    return { ...entry, proof: undefined };
  }
  if (entry.height <= 0) throw new MalformedBytesError('a proof of what is in no block');
  return { ...entry, proof: proofOf([position, branch, coinbase]) };
}

function encodedLength(entry: HistoryEntry): number {
  return cborLength(entryFields(entry));
}
