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
import { renderEvidence } from '../../directory/equivocation.ts';
import { renderPolicy } from '../../directory/policy.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { probeListed } from './listed-probe.ts';

const authorities = testAuthorities(3);
const policy = renderPolicy(testPolicy(authorities));

interface Files extends AsyncDisposable {
  readonly policyFile: string;
  readonly nodeDirectory: string;
}

/** What is on the disk of the node of this name. */
async function filesOf(node: string, consensus: string | undefined): Promise<Files> {
  const directory = await makeTemporaryDirectory();
  const keys = join(directory.path, 'keys');
  await mkdir(keys);
  await writeFile(join(keys, 'identity.seed'), testSeed(`identity ${node}`));
  const policyFile = join(directory.path, 'policy');
  await writeFile(policyFile, policy);
  if (consensus !== undefined) await writeFile(join(directory.path, 'consensus'), consensus);
  return {
    policyFile,
    nodeDirectory: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test('a node finds itself in the consensus, or sees that it is not there', async () => {
  const consensus = signedBy(testContent(), authorities);
  const validUntil = TEST_TIME + 24 * 3600;
  const listed = { flags: ['Relay', 'Gateway', 'Running'], weight: 100, share: 0.25 };
  for (const [name, node] of [
    ['b', listed],
    ['stranger', undefined],
  ] as const) {
    await using files = await filesOf(name, consensus);
    assert.deepEqual(await probeListed(files), {
      consensus: { epoch: 1, validUntil, node },
      authorities: 0,
      answers: [],
    });
  }
});

test('what the authorities said is told, also before there is a consensus', async () => {
  await using files = await filesOf('b', undefined);
  const answers = [{ authority: 'a', verdict: 'refused', reason: 'expired: it has', at: 1 }];
  const publication = { descriptor: '00', authorities: ['a', 'b'], answers };
  await writeFile(join(files.nodeDirectory, 'publication.json'), JSON.stringify(publication));
  const seen = await probeListed(files);
  assert.deepEqual(seen, { consensus: undefined, authorities: 2, answers });
});

test('a consensus of other authorities lists nobody, and without a policy there is none', async () => {
  const byOne = signedBy(testContent(), authorities.slice(0, 1));
  await using files = await filesOf('b', byOne);
  await assert.rejects(probeListed(files), { name: 'DirectoryError' });
  await assert.rejects(probeListed({ ...files, policyFile: '/nowhere' }), { name: 'UserError' });
});

test('two consensuses of one epoch that the node keeps as evidence are told with those who signed both', async () => {
  const first = signedBy(testContent(), authorities);
  const second = signedBy(testContent({ nodes: [] }), authorities);
  await using files = await filesOf('a', first);
  const evidence = join(files.nodeDirectory, 'evidence');
  await mkdir(evidence);
  assert.equal((await probeListed(files)).fork, undefined);
  await writeFile(join(evidence, 'consensuses-1'), renderEvidence([first, second]));
  const { fork } = await probeListed(files);
  const convicted = ['authority-1', 'authority-2', 'authority-3'];
  assert.deepEqual(fork, { epoch: 1, convicted });
});
