import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'vitest';
import { findProgram } from './find-program.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

test('the first program that is there is found by its path', async () => {
  const path = await findProgram('no-such-program-anywhere', 'node');
  assert.equal(basename(path ?? ''), 'node');
  assert.equal(await findProgram('no-such-program-anywhere'), undefined);
});

test('a path is taken as it is, when there is a program', async () => {
  assert.equal(await findProgram(process.execPath), process.execPath);
  await using directory = await makeTemporaryDirectory();
  const plain = join(directory.path, 'plain');
  await writeFile(plain, '', { mode: 0o600 });
  assert.equal(await findProgram(plain, '/no/such', 'node'), await findProgram('node'));
});
