import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { MalformedBytesError } from '../base/bytes.ts';
import { encodeHeader, parseHeader } from './block-header.ts';
import { bitsOf, targetOf, workOf } from './compact-target.ts';

test('a header of any bytes is encoded to the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 80, maxLength: 80 }), (bytes) => {
      assert.deepEqual(encodeHeader(parseHeader(bytes)), bytes);
    }),
  );
});

test.each([0, 79, 81])('%i bytes are no header', (length) => {
  assert.throws(() => parseHeader(new Uint8Array(length)), MalformedBytesError);
});

/** Source: Bitcoin Core, arith_uint256_tests.cpp. */
test.each([
  [0x0112_3456, 0x12n, 0x0112_0000],
  [0x0200_8000, 0x80n, 0x0200_8000],
  [0x0500_9234, 0x9234_0000n, 0x0500_9234],
  [0x2012_3456, 0x12_3456n << 232n, 0x2012_3456],
])('the compact target %i is %i', (bits, target, canonical) => {
  assert.equal(targetOf(bits), target);
  assert.equal(bitsOf(target), canonical);
});

test.each([
  ['zero', 0],
  ['zero', 0x0100_3456],
  ['negative', 0x04_92_3456],
  ['over 256 bits', 0xff12_3456],
  ['over 256 bits', 0x2101_0000],
])('a target that is %s is refused', (what, bits) => {
  assert.throws(() => targetOf(bits), { name: 'MalformedBytesError', message: new RegExp(what) });
});

test('the compact form keeps a target to one part in 32768 and never exceeds it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: (1n << 255n) - 1n }), (target) => {
      const kept = targetOf(bitsOf(target));
      assert.ok(kept <= target && (target - kept) * 32_768n <= target);
      assert.equal(bitsOf(kept), bitsOf(target));
    }),
  );
});

test('a block of the easiest mainnet target takes 2^32 and some hashes', () => {
  assert.equal(workOf(0x1d00_ffff), 0x1_0001_0001n);
});
