import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex } from '../base/bytes.ts';
import { type Cbor, encodeCbor } from '../base/cbor.ts';
import { encodeHistoryBody, type HistoryEntry, packHistory } from '../query/history-body.ts';
import { MAX_BODY_BYTES } from '../query/limits.ts';
import { type Query } from '../query/query.ts';
import { encodeTransactionBody, packTransaction } from '../query/transaction-body.ts';
import { type Answered } from './ask.ts';
import { LookupError } from './fault.ts';
import { fetchHistory } from './fetch-history.ts';

const SCRIPT_HASH = 'ab'.repeat(32);
const TIP = 'cd'.repeat(32);
const STATUS = 'ef'.repeat(32);
const GATEWAY = '01'.repeat(16);

function answered(body: Cbor, tipHash = TIP): Answered {
  assert.ok(encodeCbor(body).length <= MAX_BODY_BYTES);
  return {
    reply: { code: 'OK', tipHeight: 7, tipHash: fromHex(tipHash), body },
    evidence: { nodeId: GATEWAY, request: new Uint8Array(), reply: new Uint8Array() },
    relay: '02'.repeat(16),
  };
}

function entriesOf(count: number, rawBytes: number): HistoryEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    txid: index.toString(16).padStart(64, '0'),
    height: 0,
    proof: undefined,
    raw: new Uint8Array(rawBytes).fill(index % 251),
  }));
}

type Lie = (query: Query, honest: Cbor) => Cbor;

/** A gateway of these entries; counts what it is asked. */
function gateway(
  entries: readonly HistoryEntry[],
  lie: Lie = (_, body) => body,
): { asked: Query[]; put: (query: Query) => Promise<Answered> } {
  const asked: Query[] = [];
  const bodyOf = (query: Query): Cbor => {
    if (query.op === 'HISTORY') {
      const first = query.cursor?.index ?? 0;
      const page = packHistory(entries.slice(first));
      const status = entries.length === 0 ? null : STATUS;
      return encodeHistoryBody({ total: entries.length, first, entries: page, status });
    }
    assert.ok(query.op === 'TX');
    const { raw } = entries.find(({ txid }) => txid === query.txid) ?? {};
    assert.ok(raw);
    const offset = query.cursor?.index ?? 0;
    return encodeTransactionBody(packTransaction({ raw, offset, proof: undefined }));
  };
  return {
    asked,
    put(query) {
      asked.push(query);
      return Promise.resolve(answered(lie(query, bodyOf(query))));
    },
  };
}

async function refused(put: (query: Query) => Promise<Answered>): Promise<LookupError> {
  try {
    await fetchHistory(SCRIPT_HASH, put);
  } catch (error) {
    assert.ok(error instanceof LookupError);
    return error;
  }
  throw new assert.AssertionError({ message: 'it was believed' });
}

const with_ =
  (key: number, value: Cbor): Lie =>
  (_, body) =>
    new Map([...(body as ReadonlyMap<number, Cbor>), [key, value]]);

test('an ordinary history takes one question', async () => {
  const { asked, put } = gateway(entriesOf(4, 250));
  const { claim, tip } = await fetchHistory(SCRIPT_HASH, put);
  assert.equal(claim.entries.length, 4);
  assert.deepEqual(tip, { height: 7, hash: TIP });
  assert.equal(asked.length, 1);
});

test('an entry above the tip of its page is refused: the answer would be of no one moment', async () => {
  const entries = entriesOf(40, 250);
  for (const [at, height, believed] of [
    [0, 8, false],
    [39, 8, false],
    [39, 7, true],
  ] as const) {
    const changed = entries.map((entry, index) => (index === at ? { ...entry, height } : entry));
    const { put } = gateway(changed);
    if (believed) await fetchHistory(SCRIPT_HASH, put);
    else assert.equal((await refused(put)).code, 'malformed-reply');
  }
});

test('an unused script takes one question', async () => {
  const { asked, put } = gateway([]);
  const { claim } = await fetchHistory(SCRIPT_HASH, put);
  assert.deepEqual([claim.entries, claim.status], [[], null]);
  assert.equal(asked.length, 1);
});

test.each([
  [200, 300],
  [1, 20_000],
  [12, 5000],
])('%i transactions of %i bytes arrive whole and in order', async (count, bytes) => {
  const entries = entriesOf(count, bytes);
  const { put } = gateway(entries);
  const { claim, evidence } = await fetchHistory(SCRIPT_HASH, put);
  assert.deepEqual(claim.entries, entries);
  assert.ok(evidence.length >= 1);
});

test('a transaction of the largest size arrives', async () => {
  const entries = entriesOf(1, 400_000);
  const { claim } = await fetchHistory(SCRIPT_HASH, gateway(entries).put);
  assert.deepEqual(claim.entries[0]?.raw, entries[0]?.raw);
});

test('reading starts again when the history changes, but not for ever', async () => {
  const entries = entriesOf(60, 300);
  const { put } = gateway(entries);
  let changes = 1;
  const changing = async (query: Query): Promise<Answered> => {
    const answer = await put(query);
    const later = query.op === 'HISTORY' && query.cursor !== undefined;
    if (!later || changes-- <= 0) return answer;
    return { ...answer, reply: { ...answer.reply, tipHash: fromHex('00'.repeat(32)) } };
  };
  assert.deepEqual((await fetchHistory(SCRIPT_HASH, changing)).claim.entries, entries);
  changes = Infinity;
  assert.equal((await refused(changing)).code, 'cursor-stale');
});

test.each<[string, HistoryEntry[], Lie]>([
  ['a body of another shape', entriesOf(3, 100), () => null],
  ['a first page that is not the first', entriesOf(3, 100), with_(2, 1)],
  ['a page without entries', entriesOf(3, 100), with_(3, [])],
  [
    'a transaction from its middle',
    entriesOf(1, 9000),
    (query, body) => (query.op === 'TX' ? with_(2, 5)(query, body) : body),
  ],
  [
    'a transaction byte by byte',
    entriesOf(1, 9000),
    (query, body) =>
      query.op === 'TX' && query.cursor !== undefined
        ? with_(3, Uint8Array.of(1))(query, body)
        : body,
  ],
  [
    'another size on a later page',
    entriesOf(1, 9000),
    (query, body) =>
      query.op === 'TX' && query.cursor !== undefined ? with_(1, 9001)(query, body) : body,
  ],
  [
    'another total on a later page',
    entriesOf(60, 300),
    (query, body) =>
      query.op === 'HISTORY' && query.cursor !== undefined ? with_(1, 61)(query, body) : body,
  ],
])('%s is the gateway’s fault', async (_, entries, lie) => {
  const { code, culprit, evidence } = await refused(gateway(entries, lie).put);
  assert.equal(code, 'malformed-reply');
  assert.deepEqual(culprit, { role: 'gateway', nodeId: GATEWAY });
  assert.equal(evidence.length, 1);
});

test('a first page of crumbs does not have the rest asked for in as many questions', async () => {
  const crumbs = gateway(entriesOf(1, 9000), (query, body) =>
    query.op === 'TX' ? with_(3, new Uint8Array(1023))(query, body) : body,
  );
  const { code, culprit } = await refused(crumbs.put);
  assert.equal(code, 'malformed-reply');
  assert.deepEqual(culprit, { role: 'gateway', nodeId: GATEWAY });
  assert.deepEqual(
    crumbs.asked.map(({ op }) => op),
    ['HISTORY', 'TX'],
  );
});

test('a history of more than 2000 entries is not read', async () => {
  const { asked, put } = gateway(entriesOf(2001, 10));
  assert.equal((await refused(put)).code, 'history-too-long');
  assert.equal(asked.length, 1);
});
