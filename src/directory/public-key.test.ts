import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fromHex, utf8 } from '../base/bytes.ts';
import { nodeIdOf } from './node-id.ts';
import { deferPublicKey, loadPublicKey } from './public-key.ts';
import { signingKeyFromSeed } from './signing-key.ts';

const { ed25519SmallOrder } = JSON.parse(
  readFileSync(new URL('../../spec/vectors/standard/other.json', import.meta.url), 'utf8'),
) as { ed25519SmallOrder: { publicKey: string; signature: string } };
const smallOrder = fromHex(ed25519SmallOrder.publicKey);

/** RFC 8032 section 7.1, test 2. */
const rfc = {
  seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
};

test('signing and verifying agree with RFC 8032', () => {
  const key = signingKeyFromSeed(fromHex(rfc.seed));
  assert.deepEqual(key.publicKey, fromHex(rfc.publicKey));
  assert.deepEqual(key.sign(fromHex(rfc.message)), fromHex(rfc.signature));
  const loaded = loadPublicKey(key.publicKey);
  assert.ok(loaded.verify(fromHex(rfc.message), fromHex(rfc.signature)));
  assert.ok(!loaded.verify(fromHex('73'), fromHex(rfc.signature)));
  assert.ok(!loaded.verify(fromHex(rfc.message), fromHex(rfc.signature).subarray(1)));
});

test('a seed of another length is refused', () => {
  assert.throws(() => signingKeyFromSeed(new Uint8Array(31)), RangeError);
});

/** The base point plus the point of order 2 (0, -1): negated coordinates, so y of the base point
 * taken from the prime. */
const withTorsion = '95' + '99'.repeat(30) + '99';

test.each([
  ['of small order', ed25519SmallOrder.publicKey],
  ['that is the neutral point', '01' + '00'.repeat(31)],
  ['in a second encoding', 'ee' + 'ff'.repeat(30) + '7f'],
  ['with a torsion part', withTorsion],
  ['that is not on the curve', '02' + '00'.repeat(31)],
  ['of 31 bytes', '58' + '66'.repeat(30)],
])('a key %s is refused', (_, hex) => {
  assert.throws(() => loadPublicKey(fromHex(hex)), { name: 'DirectoryError', code: 'weak-key' });
});

test('a deferred key verifies as a loaded one does', () => {
  const key = deferPublicKey(() => fromHex(rfc.publicKey));
  assert.ok(key.verify(fromHex(rfc.message), fromHex(rfc.signature)));
  assert.ok(!key.verify(fromHex('73'), fromHex(rfc.signature)));
});

test('a deferred weak key verifies nothing, though some verifiers would', () => {
  const key = deferPublicKey(() => smallOrder);
  const signature = fromHex(ed25519SmallOrder.signature);
  for (let index = 0; index < 256; index += 1) {
    assert.ok(!key.verify(utf8(`message ${index}`), signature));
  }
});

test('a node id is 16 bytes of a labelled hash of the identity', () => {
  assert.match(nodeIdOf(fromHex(rfc.publicKey)), /^[0-9a-f]{32}$/);
  assert.notEqual(nodeIdOf(fromHex(rfc.publicKey)), nodeIdOf(smallOrder));
});
