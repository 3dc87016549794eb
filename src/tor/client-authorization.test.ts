import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromHex, MalformedBytesError, utf8 } from '../base/bytes.ts';
import {
  clientPublicKeyOf,
  newClientKey,
  parseAuth,
  parseAuthPrivate,
  renderAuth,
  renderAuthPrivate,
} from './client-authorization.ts';
import { onionKeyFromSeed } from './onion-key.ts';

const aKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => key.some((byte) => byte !== 0));
const anOnion = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((seed) => onionKeyFromSeed(seed).address);

test('the files are exactly as tor documents them', () => {
  const key = fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
  const letters = 'QUQPACMJGCTVI5ELPXOLIPXXLIG36OQNEY4BV5HLUSUY5KU3JZVA';
  assert.equal(renderAuth(key), `descriptor:x25519:${letters}\n`);
  const onion = onionKeyFromSeed(new Uint8Array(32)).address;
  assert.equal(
    renderAuthPrivate({ onion, privateKey: key }),
    `${onion.slice(0, 56)}:descriptor:x25519:${letters}\n`,
  );
});

test('the public key is the one that another implementation finds', () => {
  const { privateKey, publicKey } = newClientKey();
  const d = Buffer.from(privateKey).toString('base64url');
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d, x: '' }, format: 'jwk' });
  assert.equal(key.export({ format: 'jwk' }).x, Buffer.from(publicKey).toString('base64url'));
});

test('new keys are pairs, each of its own', () => {
  const [one, two] = [newClientKey(), newClientKey()];
  assert.notDeepEqual(one.privateKey, two.privateKey);
  assert.deepEqual(clientPublicKeyOf(one.privateKey), one.publicKey);
});

test('what is written is read again, with and without the line end', () => {
  fc.assert(
    fc.property(aKey, anOnion, (key, onion) => {
      const auth = renderAuth(key);
      const access = renderAuthPrivate({ onion, privateKey: key });
      for (const end of [undefined, -1]) {
        assert.deepEqual(parseAuth(utf8(auth.slice(0, end))), key);
        assert.deepEqual(parseAuthPrivate(utf8(access.slice(0, end))), { onion, privateKey: key });
      }
    }),
  );
});

test('one letter changed is another key or none, never the same', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const place = fc.record({ at: fc.nat({ max: 51 }), letter: fc.nat({ max: 31 }) });
  fc.assert(
    fc.property(aKey, place, (key, { at, letter }) => {
      const text = renderAuth(key);
      const index = 'descriptor:x25519:'.length + at;
      const changed = text.slice(0, index) + (letters[letter] ?? '') + text.slice(index + 1);
      fc.pre(changed !== text);
      assert.notDeepEqual(
        readOrRefuse(() => parseAuth(utf8(changed))),
        key,
      );
    }),
  );
});

test('noise is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(
        readOrRefuse(() => parseAuth(bytes)),
        'refused',
      );
      assert.equal(
        readOrRefuse(() => parseAuthPrivate(bytes)),
        'refused',
      );
    }),
  );
});

test('what tor might take for another key, for two keys or for none is refused', () => {
  const auth = renderAuth(newClientKey().publicKey);
  const zeros = `descriptor:x25519:${'A'.repeat(52)}\n`;
  for (const text of [
    '',
    '\n',
    `${auth}\n`,
    auth + auth,
    ` ${auth}`,
    auth.toLowerCase(),
    auth.replace('x25519', 'ed25519'),
    auth.replace('\n', '\r\n'),
    auth.replace('\n', '====\n'),
    auth.replace('descriptor', '# descriptor'),
    zeros,
    // The spare bits of the last letter are not zero.
    `descriptor:x25519:${'B'.repeat(52)}\n`,
  ]) {
    assert.throws(() => parseAuth(utf8(text)), MalformedBytesError, JSON.stringify(text));
  }
});

test('the access key of something that is no onion is refused', () => {
  const onion = onionKeyFromSeed(new Uint8Array(32)).address;
  const text = renderAuthPrivate({ onion, privateKey: newClientKey().privateKey });
  const other = text.startsWith('a') ? 'b' : 'a';
  for (const wrong of [other + text.slice(1), text.replace(':', '.onion:'), `${text}${text}`]) {
    assert.throws(() => parseAuthPrivate(utf8(wrong)), MalformedBytesError);
  }
  const access = { onion: 'example.com', privateKey: new Uint8Array(32) };
  assert.throws(() => renderAuthPrivate(access), RangeError);
});

function readOrRefuse<T>(read: () => T): T | 'refused' {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof MalformedBytesError);
    return 'refused';
  }
}
