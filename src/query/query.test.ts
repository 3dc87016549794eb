import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { MalformedBytesError, toHex } from '../base/bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { BROADCAST_PART_BYTES } from './limits.ts';
import { decodeQuery, encodeQuery, type Query } from './query.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const cursor = fc.record(
  { tipHash: hash, index: fc.integer({ min: 0, max: 0xffff_ffff }) },
  { noNullPrototype: true },
);
const part = fc
  .tuple(hash, fc.integer({ min: 1, max: 223 }), fc.nat(222), fc.nat(255))
  .map(([upload, of, index, byte]): Query => {
    const bytes = new Uint8Array(BROADCAST_PART_BYTES).fill(byte);
    return { op: 'BROADCAST', upload, part: index % of, of, bytes };
  });

function record<T>(fields: { [K in keyof T]-?: fc.Arbitrary<T[K]> }, required: (keyof T)[]) {
  return fc.record(fields, { noNullPrototype: true, requiredKeys: required }) as fc.Arbitrary<T>;
}

const anyQuery: fc.Arbitrary<Query> = fc.oneof(
  fc.constantFrom<Query>({ op: 'NOOP' }, { op: 'FEES' }, { op: 'INFO' }),
  hash.map((scriptHash): Query => ({ op: 'STATUS', scriptHash })),
  record<Extract<Query, { op: 'HISTORY' }>>(
    {
      op: fc.constant('HISTORY'),
      scriptHash: hash,
      cursor,
      proofs: fc.boolean(),
      raw: fc.boolean(),
    },
    ['op', 'scriptHash', 'proofs', 'raw'],
  ),
  record<Extract<Query, { op: 'TX' }>>(
    {
      op: fc.constant('TX'),
      txid: hash,
      height: fc.nat(0xffff_ffff),
      cursor,
    },
    ['op', 'txid'],
  ),
  record<Extract<Query, { op: 'UNSPENT' }>>(
    { op: fc.constant('UNSPENT'), scriptHash: hash, cursor },
    ['op', 'scriptHash'],
  ),
  part,
);

test('a query comes back from the CBOR of its args', () => {
  fc.assert(
    fc.property(anyQuery, (query) => {
      const { op, args } = encodeQuery(query);
      assert.deepEqual(decodeQuery(op, decodeCbor(encodeCbor(args))), query);
    }),
  );
});

test('ops have the numbers of the specification, and one that is not known is told apart', () => {
  const numbers = ['NOOP', 'HISTORY', 'STATUS', 'TX', 'UNSPENT', 'BROADCAST', 'FEES', 'INFO'];
  fc.assert(
    fc.property(anyQuery, (query) => {
      assert.equal(encodeQuery(query).op, numbers.indexOf(query.op));
    }),
  );
  assert.equal(decodeQuery(8, null), undefined);
  assert.equal(decodeQuery(255, new Map()), undefined);
});

const HASH = new Uint8Array(32);
const PART = new Uint8Array(BROADCAST_PART_BYTES);
const map = (...fields: [number, Cbor][]): Cbor => new Map(fields);

test.each<[reason: string, op: number, args: Cbor]>([
  ['args where there are none', 0, map()],
  ['no args where there are some', 1, null],
  ['a script hash that is too short', 2, map([1, new Uint8Array(31)])],
  ['a script hash in hex', 2, map([1, '00'.repeat(32)])],
  ['a field that is not known', 2, map([1, HASH], [2, 0])],
  ['a wish that is not known', 1, map([1, HASH], [3, 4])],
  ['no wish', 1, map([1, HASH])],
  ['a cursor that is too short', 1, map([1, HASH], [2, new Uint8Array(35)], [3, 0])],
  ['a cursor that is null', 4, map([1, HASH], [2, null])],
  ['no part', 5, map([1, HASH], [2, 0], [3, 0], [4, PART])],
  ['a part past the end', 5, map([1, HASH], [2, 1], [3, 1], [4, PART])],
  ['too many parts', 5, map([1, HASH], [2, 0], [3, 224], [4, PART])],
  ['a part that is not full', 5, map([1, HASH], [2, 0], [3, 2], [4, PART.subarray(1)])],
  ['a part that is too long', 5, map([1, HASH], [2, 0], [3, 1], [4, new Uint8Array(1801)])],
  ['an empty last part', 5, map([1, HASH], [2, 0], [3, 1], [4, new Uint8Array(0)])],
])('args are refused: %s', (_, op, args) => {
  assert.throws(() => decodeQuery(op, args), MalformedBytesError);
});
