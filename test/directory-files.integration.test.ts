import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { onTestFinished, test, vi } from 'vitest';
import { toBase64 } from '../src/base/bytes.ts';
import { directoryCommand } from '../src/cli/commands/directory.ts';
import { parseConsensus } from '../src/directory/consensus.ts';
import { renderEvidence } from '../src/directory/equivocation.ts';
import { textOfNote } from '../src/directory/note.ts';
import { renderPolicy } from '../src/directory/policy.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testContent,
  testPolicy,
  testSeed,
} from './test-directory.ts';
import { testVoteNote } from './test-votes.ts';

const AUTHORITIES = testAuthorities(5);
const [one, two, three, four] = AUTHORITIES;
assert.ok(one && two && three && four);
const LOG = { origin: 'sotto/regtest', size: 3, root: testSeed('root') };
const NOTE = signedBy(testContent({ log: LOG }), [one, two, four]);
const AT = ['--at', new Date((TEST_TIME + 3600) * 1000).toISOString()];

test('a consensus in a file is verified, and told who signed it', async () => {
  const { path, run } = await setUp({ consensus: NOTE });
  const told = await run('verify', path('consensus'), ...AT);
  assert.equal(told['ok'], true);
  assert.equal(told['state'], 'fresh');
  assert.deepEqual(told['signers'], ['authority-1', 'authority-2', 'authority-4']);
  assert.deepEqual(told['log'], { ...LOG, root: toBase64(LOG.root) });
  assert.equal(process.exitCode, undefined);
});

test('a consensus that clients would refuse is refused with its code', async () => {
  const first = parseConsensus(textOfNote(NOTE));
  const { path, run } = await setUp({
    consensus: NOTE,
    few: signedBy(testContent(), [one, two]),
    next: signedBy(nextContent(first), [one, two, three]),
    noise: 'not a note',
  });
  const after = ['--at', new Date((TEST_TIME + 7 * 3600) * 1000).toISOString()];
  const codes = [
    await run('verify', path('few'), ...AT),
    await run('verify', path('consensus')),
    await run('verify', path('noise'), ...AT),
    await run('verify', path('consensus'), ...after, '--previous', path('next')),
    await run('verify', path('next'), ...after, '--previous', path('consensus')),
  ].map(({ code }) => code);
  assert.deepEqual(codes, [
    'too-few-signatures',
    'not-yet-valid',
    'malformed',
    'rolled-back',
    undefined,
  ]);
  assert.equal(process.exitCode, 1);
});

test('two notes are made evidence, and the evidence convicts', async () => {
  const { path, run } = await setUp({
    vote: testVoteNote(one),
    other: testVoteNote(one, { nodes: [] }),
    stranger: testVoteNote(two),
  });
  const found = await run('evidence', path('vote'), path('other'), '--write', path('evidence'));
  assert.equal(found['kind'], 'votes');
  assert.deepEqual(await run('evidence', path('evidence')), found);
  assert.match(readFileSync(path('evidence'), 'utf8'), /^sotto-evidence\/1\n/);
  const none = await run('evidence', path('vote'), path('stranger'));
  assert.deepEqual([none['ok'], none['code']], [false, 'no-equivocation']);
});

test('without a file all evidence of a directory is told, and none when there is none', async () => {
  const vote = testVoteNote(one);
  const pair = renderEvidence([vote, testVoteNote(one, { nodes: [] })]);
  const { path, run } = await setUp({ vote });
  assert.deepEqual(await run('evidence', '--in', path('kept')), { ok: true, evidence: [] });
  mkdirSync(path('kept'));
  writeFileSync(path('kept/one'), pair);
  writeFileSync(path('kept/two.1.tmp'), 'half');
  const { evidence } = await run('evidence', '--in', path('kept'));
  const { ok, ...told } = await run('evidence', path('kept/one'));
  assert.ok(ok);
  assert.deepEqual(evidence, [told]);
  const { evidence: mine } = await run('evidence', '--state', path('state'));
  assert.deepEqual(mine, []);
});

async function setUp(files: Readonly<Record<string, string>>) {
  const directory = await makeTemporaryDirectory();
  const path = (name: string): string => join(directory.path, name);
  writeFileSync(path('policy'), renderPolicy(testPolicy(AUTHORITIES)));
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(async () => {
    output.mockRestore();
    process.exitCode = undefined;
    await directory[Symbol.asyncDispose]();
  });
  const run = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    output.mockClear();
    const fixed = ['--json', '--policy', path('policy')];
    await directoryCommand().parseAsync([...args, ...fixed], { from: 'user' });
    return JSON.parse(String(output.mock.calls[0]?.[0])) as Record<string, unknown>;
  };
  return { path, run };
}
