import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { onionAddressOf, publicKeyOfOnion } from './onion-address.ts';

const publicKeys = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('an address gives back the public key it was made from', () => {
  fc.assert(
    fc.property(publicKeys, (publicKey) => {
      assert.deepEqual(publicKeyOfOnion(onionAddressOf(publicKey)), publicKey);
    }),
  );
});

test('an address with one other letter is refused', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  fc.assert(
    fc.property(
      publicKeys,
      fc.nat({ max: 55 }),
      fc.integer({ min: 1, max: 31 }),
      (publicKey, at, step) => {
        const address = onionAddressOf(publicKey);
        const letter = letters.charAt((letters.indexOf(address.charAt(at)) + step) % 32);
        const other = address.slice(0, at) + letter + address.slice(at + 1);
        assert.throws(() => publicKeyOfOnion(other), RangeError);
      },
    ),
    // Two letters of the checksum alone would let one in 65,536 pass.
    { seed: 1 },
  );
});

test('what is not 56 letters and ".onion" is refused', () => {
  const address = onionAddressOf(new Uint8Array(32));
  const others = ['', 'example.com', address.slice(1), `a.${address}`, address.toUpperCase()];
  for (const other of others) assert.throws(() => publicKeyOfOnion(other), RangeError);
});

test('a public key of another length has no address', () => {
  assert.throws(() => onionAddressOf(new Uint8Array(31)), RangeError);
});
