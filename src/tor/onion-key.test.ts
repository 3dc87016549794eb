import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { test } from 'vitest';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { onionKeyFromSeed } from './onion-key.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../spec/vectors/standard/other.json', import.meta.url), 'utf8'),
) as { onion: { seed: string; hostname: string } };
const key = onionKeyFromSeed(fromHex(vectors.onion.seed));

test('a seed gives the onion address that tor gives it', () => {
  assert.equal(key.address, vectors.onion.hostname);
});

test("tor's secret key file is a tag of 32 bytes and the expanded secret key", () => {
  assert.equal(key.secretKeyFile.length, 96);
  assert.equal(
    Buffer.from(key.secretKeyFile.subarray(0, 32)).toString('latin1'),
    '== ed25519v1-secret: type0 ==\0\0\0',
  );
  assert.deepEqual(key.secretKeyFile.subarray(32), key.expandedSecretKey);
});

test('the expanded secret key is the clamped scalar and the prefix of RFC 8032', () => {
  const { head, prefix } = ed25519.utils.getExtendedPublicKey(fromHex(vectors.onion.seed));
  assert.equal(toHex(key.expandedSecretKey), toHex(head) + toHex(prefix));
});

test('its signatures verify under the key that the address names', () => {
  const message = utf8('message');
  assert.ok(ed25519.verify(key.sign(message), message, key.publicKey, { zip215: false }));
});

test('a seed of another length is refused', () => {
  assert.throws(() => onionKeyFromSeed(new Uint8Array(31)), RangeError);
});
