import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { type BlockProof, meetingLevel } from '../electrum/block-proof.ts';
import {
  decodeHistoryBody,
  encodeHistoryBody,
  type HistoryBody,
  type HistoryEntry,
  packHistory,
} from './history-body.ts';
import { MAX_BODY_BYTES } from './limits.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hash = bytes32.map(toHex);
const hashes = (length: number): fc.Arbitrary<string[]> =>
  fc.array(hash, { minLength: length, maxLength: length });

const anyProof: fc.Arbitrary<BlockProof> = fc
  .tuple(fc.nat(12), fc.nat(0xffff))
  .chain(([depth, number]) => {
    const position = number % 2 ** depth;
    const coinbase =
      position === 0
        ? fc.constant(undefined)
        : fc
            .tuple(hash, hashes(meetingLevel(position)))
            .map(([txid, branch]) => ({ txid, branch }));
    return fc
      .tuple(hashes(depth), coinbase)
      .map(([branch, spine]) => ({ position, branch, coinbase: spine }));
  });
const anyRaw = fc.option(fc.uint8Array({ minLength: 1, maxLength: 4000, size: 'max' }), {
  nil: undefined,
});
const anyEntry: fc.Arbitrary<HistoryEntry> = fc.oneof(
  fc
    .tuple(
      hash,
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.option(anyProof, { nil: undefined }),
      anyRaw,
    )
    .map(([txid, height, proof, raw]) => ({ txid, height, proof, raw })),
  fc
    .tuple(hash, fc.constantFrom(0, -1), anyRaw)
    .map(([txid, height, raw]) => ({ txid, height, proof: undefined, raw })),
);
const STATUS = 'cd'.repeat(32);

function pageOf(entries: readonly HistoryEntry[]): HistoryBody {
  const total = 0xffff_ffff;
  return { total, first: total - entries.length, entries, status: STATUS };
}

test('as many entries as fit are packed, and come back', () => {
  const property = fc.property(fc.array(anyEntry, { maxLength: 12 }), (entries) => {
    const page = packHistory(entries);
    const body = encodeCbor(encodeHistoryBody(pageOf(page)));
    assert.ok(body.length <= MAX_BODY_BYTES);
    assert.deepEqual(decodeHistoryBody(decodeCbor(body)), pageOf(page));
    assert.deepEqual(
      page.map(({ txid }) => txid),
      entries.slice(0, page.length).map(({ txid }) => txid),
    );
    assert.ok(entries.length === 0 || page.length > 0, 'there is always progress');
    const more = entries.slice(0, page.length + 1);
    if (more.length > page.length && more.every(({ raw }) => raw === undefined)) {
      const tooMuch = encodeCbor(encodeHistoryBody(pageOf(more))).length;
      assert.ok(tooMuch > MAX_BODY_BYTES - 52, 'one more would not have fitted');
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test('only a raw transaction that would not fit alone is left out, wherever it stands', () => {
  const entry = (size: number): HistoryEntry => ({
    txid: STATUS,
    height: 5,
    proof: undefined,
    raw: new Uint8Array(size),
  });
  const sizes = packHistory([entry(10), entry(3800), entry(20)]).map(({ raw }) => raw?.length);
  assert.deepEqual(sizes, [10], 'a large one waits for its own page');
  assert.deepEqual(
    packHistory([entry(10), entry(4000), entry(20)]).map(({ raw }) => raw?.length),
    [10, undefined, 20],
  );
});

test('the deepest proof there can be fits with its entry', () => {
  const zero = '00'.repeat(32);
  const branch = new Array<string>(30).fill(zero);
  const position = 2 ** 30 - 1;
  const proof = { position, branch, coinbase: { txid: zero, branch: branch.slice(0, 29) } };
  const entry = { txid: zero, height: 0xffff_ffff, proof, raw: new Uint8Array(100_000) };
  const page = packHistory([entry]);
  assert.deepEqual(page, [{ ...entry, raw: undefined }]);
  assert.deepEqual(decodeHistoryBody(encodeHistoryBody(pageOf(page))), pageOf(page));
});

test('the ways of a transaction and of the coinbase meet where the position says', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 7, 8, 4095].map(meetingLevel), [0, 1, 1, 2, 2, 2, 3, 11]);
});

const HASH = new Uint8Array(32);
const TWO = new Uint8Array(64);
const body = (...entries: Cbor[]): Cbor =>
  new Map<number, Cbor>([
    [1, 9],
    [2, 0],
    [3, entries],
    [4, HASH],
  ]);

test.each<[reason: string, body: Cbor]>([
  ['no height and txid', body([5])],
  ['too many fields', body([5, HASH, 0, HASH, HASH, null, 0])],
  ['null at the end', body([5, HASH, null])],
  ['a height below the mempool', body([-2, HASH])],
  ['a txid that is too short', body([5, TWO.subarray(33)])],
  ['a branch without a position', body([5, HASH, null, HASH])],
  ['a position without a branch', body([5, HASH, 0])],
  ['a branch that is not whole hashes', body([5, HASH, 0, TWO.subarray(1)])],
  ['a branch of 31 hashes', body([5, HASH, 0, new Uint8Array(31 * 32)])],
  ['a position that the branch cannot have', body([5, HASH, 2, HASH, null, TWO])],
  ['no coinbase', body([5, HASH, 1, HASH])],
  ['a coinbase beside itself', body([5, HASH, 0, HASH, null, HASH])],
  ['a way of the coinbase that is too long', body([5, HASH, 1, HASH, null, TWO])],
  ['a way of the coinbase that is too short', body([5, HASH, 2, TWO, null, HASH])],
  ['a proof in the mempool', body([0, HASH, 0, HASH])],
  ['an empty transaction', body([5, HASH, null, null, new Uint8Array(0)])],
  ['more entries than there are', body(...new Array<Cbor>(10).fill([5, HASH]))],
  [
    'a first entry past the end',
    new Map<number, Cbor>([
      [1, 1],
      [2, 2],
      [3, []],
      [4, HASH],
    ]),
  ],
  [
    'a status of nothing',
    new Map<number, Cbor>([
      [1, 0],
      [2, 0],
      [3, []],
      [4, HASH],
    ]),
  ],
  [
    'no status',
    new Map<number, Cbor>([
      [1, 1],
      [2, 0],
      [3, [[5, HASH]]],
      [4, null],
    ]),
  ],
])('a history is refused: %s', (_, wrong) => {
  assert.throws(() => decodeHistoryBody(wrong), MalformedBytesError);
});
