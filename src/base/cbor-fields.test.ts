import assert from 'node:assert/strict';
import { test } from 'vitest';
import { MalformedBytesError } from './bytes.ts';
import { arrayOf, boundedBytesOf, bytesOf, integerOf, mapOf, textOf } from './cbor-fields.ts';

test('fields of the right shape are returned as they are', () => {
  const map = new Map([[1, 5]]);
  assert.equal(mapOf(map, [1, 2]), map);
  assert.deepEqual(arrayOf([1, 2], { max: 2 }), [1, 2]);
  assert.equal(integerOf(-1, { min: -1, max: 3 }), -1);
  assert.equal(integerOf(3, { max: 3 }), 3);
  assert.deepEqual(bytesOf(Uint8Array.of(1), 1), Uint8Array.of(1));
  assert.deepEqual(boundedBytesOf(new Uint8Array(2), { min: 1, max: 2 }), new Uint8Array(2));
  assert.equal(textOf('é', 2), 'é');
});

test('missing fields, other types and values out of range are refused', () => {
  const wrong: (() => unknown)[] = [
    () => mapOf(undefined, []),
    () => mapOf([], []),
    () => mapOf(new Map([[3, 0]]), [1, 2]),
    () => arrayOf(undefined, { max: 1 }),
    () => arrayOf([1, 2], { max: 1 }),
    () => arrayOf([], { min: 1, max: 1 }),
    () => integerOf(undefined, { max: 1 }),
    () => integerOf(-1, { max: 1 }),
    () => integerOf(2, { max: 1 }),
    () => integerOf(0.5, { max: 1 }),
    () => integerOf(2n ** 60n, { max: Number.MAX_SAFE_INTEGER }),
    () => integerOf('1', { max: 1 }),
    () => bytesOf(undefined, 0),
    () => bytesOf(new Uint8Array(1), 2),
    () => bytesOf([0], 1),
    () => boundedBytesOf(new Uint8Array(3), { min: 1, max: 2 }),
    () => textOf(new Uint8Array(1), 5),
    () => textOf('éé', 3),
  ];
  for (const act of wrong) assert.throws(act, MalformedBytesError);
});
