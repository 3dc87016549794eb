import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { changeMembership } from './change-membership.ts';
import { homeAt } from './home.ts';

test('a change is written once, and what the authorities said before is forgotten', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  writeFileSync(home.configFile, 'network: regtest\n');
  const publication = join(home.data('node'), 'publication.json');
  mkdirSync(home.data('node'), { recursive: true });
  writeFileSync(publication, '{}');
  await changeMembership(home, { policy: '/p' });
  const written = readFileSync(home.configFile, 'utf8');
  assert.equal(written, 'network: regtest\nrelay:\n  policy: /p\n');
  assert.ok(!existsSync(publication));
  writeFileSync(publication, '{}');
  await changeMembership(home, { policy: '/p' });
  assert.equal(readFileSync(home.configFile, 'utf8'), written);
  assert.ok(existsSync(publication));
});

test('without a server there is nothing to change', async () => {
  await using directory = await makeTemporaryDirectory();
  await assert.rejects(changeMembership(homeAt(directory.path), { policy: '/p' }), {
    name: 'UserError',
  });
});
