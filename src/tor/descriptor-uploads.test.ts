import assert from 'node:assert/strict';
import { test } from 'vitest';
import { DescriptorUploads } from './descriptor-uploads.ts';

const id = 'a'.repeat(55) + 'd';
const onion = `${id}.onion`;

function after(...events: readonly string[]): boolean {
  const uploads = new DescriptorUploads();
  for (const event of events) uploads.note(`HS_DESC ${event}`);
  return uploads.isDone(onion);
}

test('an onion is published when each directory that was asked has answered', () => {
  assert.equal(after(), false);
  assert.equal(after(`UPLOAD ${id} UNKNOWN $A x`), false);
  assert.equal(after(`UPLOAD ${id} UNKNOWN $A x`, `UPLOADED ${id} UNKNOWN $A`), true);
  assert.equal(
    after(`UPLOAD ${id} UNKNOWN $A x`, `UPLOAD ${id} UNKNOWN $B x`, `UPLOADED ${id} UNKNOWN $A`),
    false,
  );
});

test('one directory that refuses does not matter, all of them do', () => {
  const refused = `FAILED ${id} UNKNOWN $B REASON=UPLOAD_REJECTED`;
  const asked = [`UPLOAD ${id} UNKNOWN $A x`, `UPLOAD ${id} UNKNOWN $B x`];
  assert.equal(after(...asked, `UPLOADED ${id} UNKNOWN $A`, refused), true);
  assert.equal(after(...asked, refused, refused), false);
});

test('failed fetches and other onions do not count', () => {
  const other = 'b'.repeat(55) + 'd';
  assert.equal(
    after(
      `UPLOAD ${id} UNKNOWN $A x`,
      `FAILED ${id} NO_AUTH $A x REASON=NOT_FOUND`,
      `UPLOAD ${other} UNKNOWN $A x`,
      `UPLOADED ${other} UNKNOWN $A`,
    ),
    false,
  );
});

test('the first directory that keeps a descriptor counts, and uploads that come later do not', () => {
  const uploads = new DescriptorUploads();
  const states = [
    `UPLOAD ${id} UNKNOWN $A x`,
    `UPLOADED ${id} UNKNOWN $A`,
    `UPLOAD ${id} UNKNOWN $B x`,
  ].map((event) => {
    const before = uploads.stateOf(onion);
    uploads.note(`HS_DESC ${event}`);
    return before;
  });
  assert.deepEqual(
    [...states, uploads.stateOf(onion)],
    ['unheard', 'under-way', 'stored', 'stored'],
  );
});
