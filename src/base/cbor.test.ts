import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromHex, MalformedBytesError } from './bytes.ts';
import { type Cbor, decodeCbor, encodeCbor } from './cbor.ts';

const values: fc.Arbitrary<Cbor> = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.nat(30), tie('value')), { selector: ([key]) => key, maxLength: 4 })
      .map((entries) => new Map(entries.sort(([a], [b]) => a - b))),
  ),
})).value;

test('what is encoded reads back the same', () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(decodeCbor(encodeCbor(value)), value);
    }),
  );
});

test('only the canonical encoding of a value is accepted', () => {
  const refused = {
    'indefinite array': '9f01ff',
    'integer longer than needed': '1801',
    'keys out of order': 'a202000100',
    'a key twice': 'a201000100',
    'bytes left over': '0000',
    'end in the middle': '4401',
    undefined: 'f7',
    NaN: 'f97e00',
    'a tag': 'c000',
  };
  for (const [name, hex] of Object.entries(refused)) {
    assert.throws(() => decodeCbor(fromHex(hex)), MalformedBytesError, name);
  }
});

test('noise is refused with MalformedBytesError or reads as what it encodes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      try {
        assert.deepEqual(encodeCbor(decodeCbor(noise)), noise);
      } catch (error) {
        assert.ok(error instanceof MalformedBytesError);
      }
    }),
  );
});
