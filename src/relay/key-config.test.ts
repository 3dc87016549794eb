import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import vectors from '../../spec/vectors/standard/rfc9458-appendix-a.json' with { type: 'json' };
import { fromHex } from '../base/bytes.ts';
import { decodeKeyConfig, encodeKeyConfig } from './key-config.ts';
import { RelayError } from './relay-error.ts';

const keyConfig = fc.record(
  {
    keyId: fc.integer({ min: 0, max: 255 }),
    publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { noNullPrototype: true },
);

test('a key config comes back from its 41 bytes', () => {
  fc.assert(
    fc.property(keyConfig, (value) => {
      const bytes = encodeKeyConfig(value);
      assert.equal(bytes.length, 41);
      assert.deepEqual(decodeKeyConfig(bytes), value);
    }),
  );
});

test('only the key id and the key may differ between key configs', () => {
  fc.assert(
    fc.property(keyConfig, fc.nat(40), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
      const bytes = encodeKeyConfig(value);
      bytes[at] = (bytes[at] ?? 0) ^ change;
      if (at === 0 || (at >= 3 && at < 35)) assert.notDeepEqual(decodeKeyConfig(bytes), value);
      else refused(bytes);
    }),
  );
});

test('a key config of another length, or with more suites, is refused', () => {
  const bytes = encodeKeyConfig({ keyId: 1, publicKey: new Uint8Array(32) });
  refused(bytes.subarray(0, 40));
  refused(new Uint8Array([...bytes, 0]));
  refused(fromHex(vectors.keyConfig));
});

function refused(bytes: Uint8Array): void {
  assert.throws(
    () => decodeKeyConfig(bytes),
    (error) => error instanceof RelayError && error.code === 'BAD_KEY_CONFIG',
  );
}
