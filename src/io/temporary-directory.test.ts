import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { makeTemporaryDirectory } from './temporary-directory.ts';

test('only its owner can enter it, and it goes with all it holds', async () => {
  const directory = await makeTemporaryDirectory();
  assert.equal(statSync(directory.path).mode & 0o777, 0o700);
  writeFileSync(join(directory.path, 'file'), '');
  await directory[Symbol.asyncDispose]();
  assert.equal(existsSync(directory.path), false);
});

test('it is not made where its files would have no room', async () => {
  await assert.rejects(makeTemporaryDirectory({ megabytes: 1e12 }), {
    name: 'UserError',
    message: /has room for \d+ MB, and 1000000000000 MB are needed$/,
    hint: /TMPDIR/,
  });
});
