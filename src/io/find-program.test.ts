import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'vitest';
import { findProgram } from './find-program.ts';

test('the first program that is there is found by its path', async () => {
  const path = await findProgram('no-such-program-anywhere', 'node');
  assert.equal(basename(path ?? ''), 'node');
  assert.equal(await findProgram('no-such-program-anywhere'), undefined);
});

test('a path is taken as it is, when there is a program', async () => {
  assert.equal(await findProgram(process.execPath), process.execPath);
  assert.equal(await findProgram('/etc/hostname', '/no/such', 'node'), await findProgram('node'));
});
