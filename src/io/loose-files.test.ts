import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { looseFiles } from './loose-files.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

test('what others may read, write or enter is found, however deep', async () => {
  await using directory = await makeTemporaryDirectory();
  const { path } = directory;
  await mkdir(join(path, 'keys'), { mode: 0o700 });
  await writeFile(join(path, 'keys', 'tight'), '', { mode: 0o600 });
  assert.deepEqual(await looseFiles(path), []);
  await writeFile(join(path, 'keys', 'loose'), '', { mode: 0o640 });
  await chmod(join(path, 'keys'), 0o701);
  assert.deepEqual(await looseFiles(path), [join(path, 'keys'), join(path, 'keys', 'loose')]);
});

test('what is not there is open to nobody', async () => {
  assert.deepEqual(await looseFiles('/nonexistent/path'), []);
});
