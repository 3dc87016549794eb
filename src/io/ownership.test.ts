import assert from 'node:assert/strict';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'vitest';
import { giveTree } from './ownership.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

const OWNER = { uid: 21_000, gid: 21_001 };

test.runIf(process.getuid?.() === 0)(
  'root gives away a tree, and not what links lead to',
  async () => {
    await using directory = await makeTemporaryDirectory();
    const tree = join(directory.path, 'tree');
    const outside = join(directory.path, 'outside');
    await mkdir(join(tree, 'below'), { recursive: true });
    await writeFile(join(tree, 'below', 'file'), '');
    await writeFile(outside, '');
    await symlink(outside, join(tree, 'link'));
    await giveTree(tree, OWNER);
    for (const path of [tree, join(tree, 'below'), join(tree, 'below', 'file')]) {
      const { uid, gid } = await stat(path);
      assert.deepEqual({ uid, gid }, OWNER);
    }
    assert.equal((await stat(outside)).uid, 0);
  },
);

test.runIf(process.getuid?.() !== 0)(
  'nobody else gives anything away, and nothing fails',
  async () => {
    await using directory = await makeTemporaryDirectory();
    await giveTree(directory.path, OWNER);
    assert.equal((await stat(directory.path)).uid, process.getuid?.());
  },
);
