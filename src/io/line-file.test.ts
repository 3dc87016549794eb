import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { openLineFile } from './line-file.ts';

test('lines are appended whole, across openings, in a file for its owner only', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-lines-'));
  try {
    const path = join(directory, 'seen');
    for (const line of ['one', 'two']) {
      await using file = await openLineFile(path);
      file.append(line);
    }
    assert.equal(await readFile(path, 'utf8'), 'one\ntwo\n');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a file that cannot be opened is an error at once', async () => {
  await assert.rejects(openLineFile('/nowhere/at/all'), { code: 'ENOENT' });
});
