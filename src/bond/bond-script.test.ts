import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import {
  addressOfKey,
  bondAddress,
  bondOutputScript,
  bondScript,
  isPublicKey,
} from './bond-script.ts';

/** The key of the secret 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');

test('the script asks for the key, then for the time, pushed as the shortest number', () => {
  for (const [locktime, number] of [
    [500_000_000, '0065cd1d'],
    [1_800_000_000, '00d2496b'],
    [0x7fff_ffff, 'ffffff7f'],
  ] as const) {
    const script = toHex(bondScript({ locktime, publicKey }));
    assert.equal(script, `21${toHex(publicKey)}ad04${number}b1`);
  }
});

test('the coins go to the hash of the script', () => {
  const terms = { locktime: 1_800_000_000, publicKey };
  assert.equal(toHex(bondOutputScript(terms)).slice(0, 4), '0020');
  assert.match(bondAddress(terms, 'mainnet'), /^bc1q[a-z0-9]{58}$/);
  assert.match(bondAddress(terms, 'regtest'), /^bcrt1q[a-z0-9]{58}$/);
});

test('a lock time of blocks, or one that no miniscript can have, is refused', () => {
  for (const locktime of [0, 499_999_999, 2 ** 31, 2 ** 32, 1.5e9 + 0.5]) {
    assert.throws(() => bondScript({ locktime, publicKey }), RangeError);
  }
});

test('a key is a point of the curve: nobody could spend what is locked with another', () => {
  assert.ok(isPublicKey(publicKey));
  for (const bytes of [
    fromHex('02' + 'ff'.repeat(32)),
    fromHex('020000000000000000000000000000000000000000000000000000000000000005'),
    fromHex('04' + toHex(publicKey).slice(2)),
    publicKey.subarray(1),
    new Uint8Array(33),
  ]) {
    assert.ok(!isPublicKey(bytes), toHex(bytes));
  }
});

test('the address of a key is that of BIP 173', () => {
  const address = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
  assert.equal(addressOfKey(publicKey, 'mainnet'), address);
});
