import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { usedMegabytes } from './disk-usage.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

test('a directory takes what all below it takes, and nothing of what links point to', async () => {
  await using directory = await makeTemporaryDirectory();
  const inner = join(directory.path, 'one', 'two');
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, 'file'), new Uint8Array(3_000_000).fill(1));
  await symlink(directory.path, join(inner, 'up'));
  const used = await usedMegabytes(directory.path);
  assert.ok(used >= 3 && used <= 4, `${used}`);
  assert.equal(await usedMegabytes(join(directory.path, 'nothing')), 0);
});
