import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'vitest';
import { parseYaml } from '../../config/load-yaml.ts';
import { stackConfigSchema } from '../../config/stack-config.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { homeAt } from '../home.ts';
import { readMarker } from '../marker.ts';
import { openSecrets } from '../secrets.ts';
import { createServer } from './create-server.ts';

test('a new home has its marker and its keys in one step', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(join(directory.path, 'server'));
  const text = 'network: regtest\nbackend: process\n';
  const config = parseYaml({ path: 'sotto.yaml', text, schema: stackConfigSchema });
  const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await createServer({ config, home, user });
  assert.ok(await readMarker(home.directory));
  const { onionSeeds } = await openSecrets(home);
  assert.equal(new Set(Object.values(onionSeeds).map(String)).size, 3);
  assert.deepEqual(await readdir(directory.path), ['server']);
});
