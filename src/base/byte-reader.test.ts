import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { MalformedBytesError } from './bytes.ts';

test('integers are read big-endian and in order, from any offset of a larger buffer', () => {
  const whole = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 0xaa, 0xbb, 9);
  const reader = new ByteReader(whole.subarray(1, 11));
  assert.equal(reader.u8(), 1);
  assert.equal(reader.u16(), 0x0203);
  assert.equal(reader.u32(), 0x04050607);
  assert.deepEqual([...reader.bytes(2)], [8, 0xaa]);
  assert.deepEqual([...reader.rest()], [0xbb]);
  reader.end();
});

test('reading past the end, leaving bytes over and padding that is not zero are refused', () => {
  const reader = new ByteReader(Uint8Array.of(0, 1));
  assert.throws(() => reader.u32(), MalformedBytesError);
  assert.throws(() => reader.bytes(3), MalformedBytesError);
  assert.throws(() => reader.bytes(-1), MalformedBytesError);
  assert.throws(() => {
    reader.end();
  }, MalformedBytesError);
  assert.throws(() => {
    reader.zeros();
  }, MalformedBytesError);
});
