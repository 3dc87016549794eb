import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  signedBy,
  TEST_TIME,
  testAuthorities,
  testContent,
  testPolicy,
  testSeed,
} from '../../../test/test-directory.ts';
import { renderPolicy } from '../../directory/policy.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { probeListed } from './listed-probe.ts';

const authorities = testAuthorities(3);
const policy = renderPolicy(testPolicy(authorities));

interface Files extends AsyncDisposable {
  readonly policyFile: string;
  readonly consensusFile: string;
  readonly nodeDirectory: string;
}

/** What is on the disk of the node of this name. */
async function filesOf(node: string, consensus: string): Promise<Files> {
  const directory = await makeTemporaryDirectory();
  const keys = join(directory.path, 'keys');
  await mkdir(keys);
  await writeFile(join(keys, 'identity.seed'), testSeed(`identity ${node}`));
  const policyFile = join(directory.path, 'policy');
  const consensusFile = join(directory.path, 'consensus');
  await writeFile(policyFile, policy);
  await writeFile(consensusFile, consensus);
  return {
    policyFile,
    consensusFile,
    nodeDirectory: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test('a node finds itself in the consensus, or sees that it is not there', async () => {
  const consensus = signedBy(testContent(), authorities);
  const validUntil = TEST_TIME + 24 * 3600;
  for (const [node, listed] of [
    ['b', true],
    ['stranger', false],
  ] as const) {
    await using files = await filesOf(node, consensus);
    assert.deepEqual(await probeListed(files), { listed, epoch: 1, validUntil });
  }
});

test('a consensus of other authorities, or none, lists nobody', async () => {
  const byOne = signedBy(testContent(), authorities.slice(0, 1));
  await using files = await filesOf('b', byOne);
  await assert.rejects(probeListed(files), { name: 'DirectoryError' });
  await assert.rejects(
    probeListed({ ...files, consensusFile: join(files.nodeDirectory, 'none') }),
    {
      name: 'UserError',
    },
  );
});
