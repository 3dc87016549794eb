import { fromHex, MalformedBytesError } from '../base/bytes.ts';
import type { Cbor } from '../base/cbor.ts';
import { boundedBytesOf, bytesOf, integerOf, mapOf } from '../base/cbor-fields.ts';
import { type Cursor, CURSOR_BYTES, decodeCursor, encodeCursor } from './cursor.ts';
import { hashOf } from './hash.ts';
import { BROADCAST_PART_BYTES, MAX_BROADCAST_PARTS, MAX_U32 } from './limits.ts';

/** What a client asks a gateway: spec/relay.md section 4. Hashes are hex in display order. */
export type Query =
  | { readonly op: 'NOOP' }
  | HistoryQuery
  | { readonly op: 'STATUS'; readonly scriptHash: string }
  | TransactionQuery
  | { readonly op: 'UNSPENT'; readonly scriptHash: string; readonly cursor?: Cursor }
  | BroadcastQuery
  | { readonly op: 'FEES' }
  | { readonly op: 'INFO' };

export interface HistoryQuery {
  readonly op: 'HISTORY';
  readonly scriptHash: string;
  readonly cursor?: Cursor;
  /** With a proof of each transaction that is in a block. */
  readonly proofs: boolean;
  /** With the raw transactions. */
  readonly raw: boolean;
}

export interface TransactionQuery {
  readonly op: 'TX';
  readonly txid: string;
  /** Of its block, or 0 for the gateway to find it: asks for a proof too. */
  readonly height?: number;
  readonly cursor?: Cursor;
}

/** One part of a transaction to broadcast. Every part but the last is 1800 bytes. */
export interface BroadcastQuery {
  readonly op: 'BROADCAST';
  /** SHA-256 of the whole transaction: what its parts have in common. */
  readonly upload: string;
  readonly part: number;
  readonly of: number;
  readonly bytes: Uint8Array;
}

const OPS = {
  NOOP: 0,
  HISTORY: 1,
  STATUS: 2,
  TX: 3,
  UNSPENT: 4,
  BROADCAST: 5,
  FEES: 6,
  INFO: 7,
} as const satisfies Record<Query['op'], number>;

const opNames: ReadonlyMap<number, Query['op']> = new Map(
  Object.entries(OPS).map(([name, op]) => [op, name as Query['op']]),
);

const WANT_PROOFS = 1;
const WANT_RAW = 2;

/** The two fields of a request that say what is asked. */
export interface EncodedQuery {
  readonly op: number;
  readonly args: Cbor;
}

export function encodeQuery(query: Query): EncodedQuery {
  return { op: OPS[query.op], args: argsOf(query) };
}

function argsOf(query: Query): Cbor {
  switch (query.op) {
    case 'NOOP':
    case 'FEES':
    case 'INFO':
      return null;
    case 'STATUS':
      return new Map([[1, fromHex(query.scriptHash)]]);
    case 'HISTORY': {
      const want = (query.proofs ? WANT_PROOFS : 0) | (query.raw ? WANT_RAW : 0);
      return fieldsOf([1, fromHex(query.scriptHash)], [2, cursorBytes(query.cursor)], [3, want]);
    }
    case 'TX':
      return fieldsOf([1, fromHex(query.txid)], [2, query.height], [3, cursorBytes(query.cursor)]);
    case 'UNSPENT':
      return fieldsOf([1, fromHex(query.scriptHash)], [2, cursorBytes(query.cursor)]);
    case 'BROADCAST':
      return new Map<number, Cbor>([
        [1, fromHex(query.upload)],
        [2, query.part],
        [3, query.of],
        [4, query.bytes],
      ]);
  }
}

/**
 * Undefined for an op that this version does not know.
 * @throws MalformedBytesError unless the args are ones that `encodeQuery` makes for the op.
 */
export function decodeQuery(op: number, args: Cbor): Query | undefined {
  const name = opNames.get(op);
  return name === undefined ? undefined : queryOf(name, args);
}

function queryOf(op: Query['op'], args: Cbor): Query {
  switch (op) {
    case 'NOOP':
    case 'FEES':
    case 'INFO':
      if (args !== null) throw new MalformedBytesError('this op has no args');
      return { op };
    case 'STATUS':
      return { op, scriptHash: hashOf(mapOf(args, [1]).get(1)) };
    case 'HISTORY': {
      const map = mapOf(args, [1, 2, 3]);
      const want = integerOf(map.get(3), { max: WANT_PROOFS | WANT_RAW });
      return {
        op,
        scriptHash: hashOf(map.get(1)),
        proofs: (want & WANT_PROOFS) !== 0,
        raw: (want & WANT_RAW) !== 0,
        ...cursorOf(map.get(2)),
      };
    }
    case 'TX': {
      const map = mapOf(args, [1, 2, 3]);
      const height = map.has(2) && { height: integerOf(map.get(2), { max: MAX_U32 }) };
      return { op, txid: hashOf(map.get(1)), ...height, ...cursorOf(map.get(3)) };
    }
    case 'UNSPENT': {
      const map = mapOf(args, [1, 2]);
      return { op, scriptHash: hashOf(map.get(1)), ...cursorOf(map.get(2)) };
    }
    case 'BROADCAST':
      return broadcastOf(mapOf(args, [1, 2, 3, 4]));
  }
}

function broadcastOf(map: ReadonlyMap<number, Cbor>): BroadcastQuery {
  const of = integerOf(map.get(3), { min: 1, max: MAX_BROADCAST_PARTS });
  const part = integerOf(map.get(2), { max: of - 1 });
  const min = part === of - 1 ? 1 : BROADCAST_PART_BYTES;
  const bytes = boundedBytesOf(map.get(4), { min, max: BROADCAST_PART_BYTES });
  return { op: 'BROADCAST', upload: hashOf(map.get(1)), part, of, bytes };
}

/** A map of the fields that are there. */
function fieldsOf(...fields: readonly (readonly [number, Cbor | undefined])[]): Cbor {
  return new Map(fields.filter((field): field is [number, Cbor] => field[1] !== undefined));
}

function cursorBytes(cursor: Cursor | undefined): Uint8Array | undefined {
  return cursor && encodeCursor(cursor);
}

function cursorOf(value: Cbor | undefined): { cursor?: Cursor } {
  return value === undefined ? {} : { cursor: decodeCursor(bytesOf(value, CURSOR_BYTES)) };
}
