import { concatBytes, fromHex, MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { arrayOf, boundedBytesOf, bytesOf, integerOf, textOf } from '../base/cbor-fields.ts';
import { parseTransaction, type Transaction } from '../bitcoin/transaction.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { MAX_BRANCH } from '../electrum/merkle.ts';
import {
  type AnswerSource,
  type Unspent,
  type VerifiedEntry,
  type VerifiedHistory,
} from '../lookup/lookup.ts';
import { type CachedHistory } from './history-cache.ts';

const HASH_BYTES = 32;
const MAX_U32 = 2 ** 32 - 1;
const MAX_TRANSACTION_BYTES = 4_000_000;
const MAX_SATOSHIS = 2_100_000_000_000_000;
/** An onion and its port take 68. */
const MAX_SERVER_BYTES = 100;
const NODE_ID_BYTES = 16;
const EACH_HASH = /.{64}/g;
const ANY = Number.MAX_SAFE_INTEGER;

/** `scripthash 32`, and after it nothing (the history was dropped) or the CBOR of the history. */
export function encodeRecord(scriptHash: string, entry: CachedHistory | undefined): Uint8Array {
  const fields = entry === undefined ? new Uint8Array() : encodeCbor(fieldsOf(entry));
  return concatBytes(fromHex(scriptHash), fields);
}

export function scriptHashOfRecord(record: Uint8Array): string {
  return toHex(record.subarray(0, HASH_BYTES));
}

/** Whether it says that the history is held no more. */
export function isDropped(record: Uint8Array): boolean {
  return record.length <= HASH_BYTES;
}

/** @throws MalformedBytesError */
export function decodeRecord(record: Uint8Array): CachedHistory | undefined {
  if (isDropped(record)) return undefined;
  const fields = arrayOf(decodeCbor(record.subarray(HASH_BYTES)), { min: 8, max: 8 });
  const [due, wantedAt, tip, source, confirmed, unconfirmed, unspent, entries] = fields;
  const history = {
    scriptHash: scriptHashOfRecord(record),
    tip: tipOf(tip),
    source: sourceOf(source),
    confirmed: satoshisOf(confirmed),
    unconfirmed: satoshisOf(unconfirmed),
    entries: arrayOf(entries, { max: ANY }).map(entryOf),
  };
  return {
    due: integerOf(due, { max: ANY }),
    wantedAt: integerOf(wantedAt, { max: ANY }),
    history: {
      ...history,
      status: historyStatus(history.entries),
      unspent: arrayOf(unspent, { max: ANY }).map((coin) => unspentOf(coin, history.entries)),
    },
  };
}

function fieldsOf({ history, due, wantedAt }: CachedHistory): Cbor {
  const { tip, source, confirmed, unconfirmed, unspent, entries } = history;
  const indexes = new Map(entries.map(({ txid }, index) => [txid, index]));
  return [
    Math.round(due),
    Math.round(wantedAt),
    [tip.height, fromHex(tip.hash)],
    sourceFields(source),
    Number(confirmed),
    Number(unconfirmed),
    unspent.map(({ txid, vout, value }) => [indexes.get(txid) ?? -1, vout, Number(value)]),
    entries.map(entryFields),
  ];
}

function tipOf(value: Cbor | undefined): VerifiedHistory['tip'] {
  const [height, hash] = arrayOf(value, { min: 2, max: 2 });
  return {
    height: integerOf(height, { max: MAX_U32 }),
    hash: toHex(bytesOf(hash, HASH_BYTES)),
  };
}

/** The gateway and the relay, or the server. */
function sourceFields(source: AnswerSource): Cbor {
  return source.kind === 'server' ? source.onion : [fromHex(source.nodeId), fromHex(source.relay)];
}

function sourceOf(value: Cbor | undefined): AnswerSource {
  if (typeof value === 'string') return { kind: 'server', onion: textOf(value, MAX_SERVER_BYTES) };
  const [nodeId, relay] = arrayOf(value, { min: 2, max: 2 });
  return {
    kind: 'gateway',
    nodeId: toHex(bytesOf(nodeId, NODE_ID_BYTES)),
    relay: toHex(bytesOf(relay, NODE_ID_BYTES)),
  };
}

/** `[height, txid, raw]` in the mempool, `[height, txid, raw, position, branch]` in a block. */
function entryFields({ height, txid, raw, position, branch }: VerifiedEntry): Cbor {
  const fields = [height, fromHex(txid), raw];
  if (position === undefined || branch === undefined) return fields;
  return [...fields, position, fromHex(branch.join(''))];
}

function entryOf(value: Cbor): VerifiedEntry {
  const [height, txid, bytes, position, branch] = arrayOf(value, { min: 3, max: 5 });
  const raw = boundedBytesOf(bytes, { min: 1, max: MAX_TRANSACTION_BYTES });
  const proved = position !== undefined;
  let transaction: Transaction | undefined;
  return {
    txid: toHex(bytesOf(txid, HASH_BYTES)),
    height: integerOf(height, { min: -1, max: MAX_U32 }),
    position: proved ? integerOf(position, { max: MAX_U32 }) : undefined,
    proved,
    branch: proved ? branchOf(branch) : undefined,
    raw,
    // Reading all of a large wallet takes longer than all the rest of opening its cache.
    get transaction() {
      transaction ??= parseTransaction(raw);
      return transaction;
    },
  };
}

function branchOf(value: Cbor | undefined): string[] {
  const bytes = boundedBytesOf(value, { min: 0, max: MAX_BRANCH * HASH_BYTES });
  if (bytes.length % HASH_BYTES !== 0) throw new MalformedBytesError('a part of a hash');
  return toHex(bytes).match(EACH_HASH) ?? [];
}

/** `[index of the entry, output, satoshis]`. */
function unspentOf(value: Cbor, entries: readonly VerifiedEntry[]): Unspent {
  const [index, vout, amount] = arrayOf(value, { min: 3, max: 3 });
  const entry = entries[integerOf(index, { max: ANY })];
  if (entry === undefined) throw new MalformedBytesError('no such entry');
  const { txid, height, proved } = entry;
  return {
    txid,
    vout: integerOf(vout, { max: MAX_U32 }),
    value: satoshisOf(amount),
    height,
    proved,
  };
}

function satoshisOf(value: Cbor | undefined): bigint {
  return BigInt(integerOf(value, { min: -MAX_SATOSHIS, max: MAX_SATOSHIS }));
}
