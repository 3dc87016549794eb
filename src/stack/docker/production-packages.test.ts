import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { PACKAGE_ROOT } from '../package-root.ts';
import { productionPackages } from './production-packages.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: true; readonly version: string }>>;
}

test('what goes into the image is what the lock file calls production', async () => {
  const text = await readFile(join(PACKAGE_ROOT, 'node_modules', '.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as Lock;
  const expected = Object.entries(packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([place, { version }]) => `${place}@${version}`);
  const found = await productionPackages(PACKAGE_ROOT);
  assert.deepEqual(
    found.map(({ place, version }) => `${place}@${version}`).sort(),
    expected.sort(),
  );
});
