import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  MalformedBytesError,
  reverseBytes,
  toBase64,
  toHex,
  utf8,
} from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

test('hexadecimal, base64 and UTF-8 read back what they wrote', () => {
  fc.assert(
    fc.property(bytes, fc.string({ unit: 'grapheme' }), (data, text) => {
      assert.deepEqual(fromHex(toHex(data)), data);
      assert.deepEqual(fromBase64(toBase64(data)), data);
      assert.equal(fromUtf8(utf8(text)), text);
    }),
  );
});

test('noise is refused with MalformedBytesError and nothing else', () => {
  const decoders: ((noise: string) => unknown)[] = [
    fromHex,
    fromBase64,
    (noise) => fromUtf8(Buffer.from(noise, 'latin1')),
  ];
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (noise) => {
      for (const decode of decoders) {
        try {
          decode(noise);
        } catch (error) {
          assert.ok(error instanceof MalformedBytesError);
        }
      }
    }),
  );
});

test('base64 is refused unless it is the one canonical form', () => {
  for (const text of ['QQ', 'QR==', 'Q Q=', 'QQ==\n', '-_8=']) {
    assert.throws(() => fromBase64(text), MalformedBytesError, text);
  }
});

test('bytes are joined, compared and reversed by value', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const joined = concatBytes(a, b);
      assert.ok(equalBytes(joined.subarray(0, a.length), a));
      assert.ok(equalBytes(joined.subarray(a.length), b));
      assert.equal(equalBytes(a, b), toHex(a) === toHex(b));
      assert.deepEqual(reverseBytes(reverseBytes(a)), a);
    }),
  );
});
