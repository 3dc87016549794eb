import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { testAuthorities, testPolicy } from '../../../test/test-directory.ts';
import { silent } from '../../base/log.ts';
import { renderPolicy } from '../../directory/policy.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { openOrBeginStack } from '../open-stack.ts';
import { doctorChecks } from './doctor.ts';

/** What is looked at on a server with these lines in its configuration. */
async function checksOf(lines: string): Promise<readonly string[]> {
  await using directory = await makeTemporaryDirectory();
  await writeFile(join(directory.path, 'bond'), 'a bond');
  await writeFile(join(directory.path, 'policy'), renderPolicy(testPolicy(testAuthorities(3))));
  const yaml = `network: regtest\ntarget: devnet\nbackend: process\n${lines}`;
  await writeFile(join(directory.path, 'sotto.yaml'), yaml.replaceAll('HOME', directory.path));
  const stack = await openOrBeginStack(directory.path, { log: silent });
  return (await doctorChecks(stack, Date.now)).map(({ id }) => id);
}

test('the bond that the configuration names is looked at, and where it names none there is nothing to see', async () => {
  assert.ok((await checksOf('relay: { policy: HOME/policy, bond: HOME/bond }\n')).includes('bond'));
  assert.ok(!(await checksOf('')).includes('bond'));
});
