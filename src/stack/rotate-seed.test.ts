import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { takeAll } from './durable-steps.ts';
import { rotateSeed, type SeedFile } from './rotate-seed.ts';

const OLD = Buffer.alloc(32, 7);

async function withSeed<T>(run: (seed: SeedFile, directory: string) => Promise<T>): Promise<T> {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'wallet.seed');
  const copy = join(directory.path, 'tors-copy');
  await writeFile(path, OLD, { mode: 0o600 });
  await writeFile(copy, OLD);
  return await run({ path, copies: [copy] }, directory.path);
}

test('a rotated seed is another one for its owner alone, and nothing is left of the old one', async () => {
  await withSeed(async (seed, directory) => {
    await takeAll(rotateSeed(seed));
    const fresh = await readFile(seed.path);
    assert.equal(fresh.length, 32);
    assert.notDeepEqual(fresh, OLD);
    assert.equal((await stat(seed.path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(directory), ['wallet.seed']);
  });
});

test('each rotation makes another seed', async () => {
  await withSeed(async (seed) => {
    await takeAll(rotateSeed(seed));
    const first = await readFile(seed.path);
    await takeAll(rotateSeed(seed));
    assert.notDeepEqual(await readFile(seed.path), first);
  });
});

test('a rotation killed after any step leaves one whole seed, and goes on to the same new one', async () => {
  const isKilledAfter = (count: number): Promise<boolean> =>
    withSeed(async (seed, directory) => {
      const steps = rotateSeed(seed);
      let isKilled = true;
      for (let done = 0; done < count; done++) isKilled = (await steps.next()).done !== true;
      const between = await readFile(seed.path);
      assert.equal(between.length, 32);
      const isNew = !between.equals(OLD);
      const chosen = isNew ? between : await readFile(`${seed.path}.next`);
      if (isKilled && (await readdir(directory)).length > 1) await takeAll(rotateSeed(seed));
      assert.deepEqual(await readFile(seed.path), chosen);
      assert.deepEqual(await readdir(directory), ['wallet.seed']);
      return isKilled;
    });
  let count = 1;
  while (await isKilledAfter(count)) count++;
  assert.equal(count, 5);
});

test('a new seed that was cut short by a crash is not used', async () => {
  await withSeed(async (seed) => {
    await writeFile(`${seed.path}.next`, 'half');
    await takeAll(rotateSeed(seed));
    assert.equal((await readFile(seed.path)).length, 32);
  });
});

test('where there is no seed there is nothing to rotate', async () => {
  await withSeed(async (seed, directory) => {
    const absent = join(directory, 'p2p.seed');
    await assert.rejects(takeAll(rotateSeed({ ...seed, path: absent })), /sotto up|there is no/);
  });
});
