import assert from 'node:assert/strict';
import { test } from 'vitest';
import { encodePut, PUT_KINDS, type PutPart } from './frame-payload.ts';
import { type Frame } from './frame.ts';
import { LinkError } from './link-error.ts';
import { PutParts } from './put-parts.ts';
import { RelayError } from './relay-error.ts';

const part = (id: number, changes: Partial<PutPart> = {}): Frame => {
  const { kind = PUT_KINDS.bond, of = 2, part = 0 } = changes;
  const data = changes.data ?? new Uint8Array(part === of - 1 ? 3 : 4064).fill(part + 1);
  return { type: 'DIRECTORY_PUT', id, payload: encodePut({ kind, part, of, data }) };
};

test('parts make a whole, one after the other', () => {
  const parts = new PutParts();
  for (const id of [7, 8]) {
    assert.equal(parts.take(part(id)), undefined);
    const put = parts.take(part(id, { part: 1 }));
    assert.deepEqual([put?.id, put?.kind, put?.bytes.length], [id, PUT_KINDS.bond, 4067]);
    assert.deepEqual([put?.bytes[4063], put?.bytes[4064]], [1, 2]);
  }
  assert.equal(parts.take(part(9, { of: 1 }))?.bytes.length, 3);
});

test('a part that is missing, repeated, or of another put is refused', () => {
  for (const second of [
    part(1),
    part(2, { part: 1 }),
    part(1, { part: 1, kind: PUT_KINDS.evidence }),
    part(1, { part: 1, of: 3 }),
  ]) {
    const parts = new PutParts();
    parts.take(part(1));
    assert.throws(
      () => parts.take(second),
      (error) => error instanceof LinkError && error.code === 'protocol',
    );
  }
  assert.throws(() => new PutParts().take(part(1, { part: 1 })), LinkError);
});

test('more than 64 KiB is refused with its first part', () => {
  assert.throws(
    () => new PutParts().take(part(1, { of: 18 })),
    (error) => error instanceof RelayError && error.code === 'BAD_FRAME',
  );
});
