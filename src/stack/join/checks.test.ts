import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { testAuthorities, testPolicy } from '../../../test/test-directory.ts';
import { renderPolicy } from '../../directory/policy.ts';
import { makeTemporaryDirectory } from '../../io/temporary-directory.ts';
import { onionAddressOf } from '../../tor/onion-address.ts';
import { torCheck } from '../doctor/tor-check.ts';
import type { Finding } from '../finding.ts';
import { homeAt } from '../home.ts';
import { runCheck } from '../run-checks.ts';
import { policyCheck } from './policy-check.ts';
import { judgeTargetSteps } from './target-check.ts';

const { signal } = new AbortController();

/** The text of a policy of five authorities, of which so many have an onion. */
function policyOf(reached: number, network = 'regtest'): string {
  const policy = testPolicy(testAuthorities(5));
  const authorities = policy.authorities.map((authority, index) =>
    index < reached
      ? {
          ...authority,
          onion: { host: onionAddressOf(authority.verifier.key.bytes), port: 50_010 },
        }
      : authority,
  );
  return renderPolicy({ ...policy, network, authorities });
}

async function findingOf(text: string): Promise<Finding> {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'policy');
  writeFileSync(path, text);
  return await runCheck(policyCheck(path, { network: 'regtest' }), { signal });
}

test.each([
  { which: 'whose authorities can be reached', text: policyOf(5), found: /^5 of 5 authorities/ },
  { which: 'by which a majority can be reached', text: policyOf(3), found: /^3 of 5/ },
])('a policy $which is fit to join by', async ({ text, found }) => {
  const finding = await findingOf(text);
  assert.equal(finding.verdict, 'ok');
  assert.match(finding.found, found);
});

test.each([
  { which: 'by which no majority can be reached', text: policyOf(2), found: /^it says of 2 of 5/ },
  { which: 'of another network', text: policyOf(5, 'signet'), found: /^it is for signet/ },
  { which: 'that cannot be read', text: 'witness\n', found: /line 1 of the policy/ },
])('a policy $which is not', async ({ text, found }) => {
  const finding = await findingOf(text);
  assert.equal(finding.verdict, 'fail');
  assert.match(finding.found, found);
});

test('a policy that is not there is told as such', async () => {
  const finding = await runCheck(policyCheck('/nowhere', { network: 'regtest' }), { signal });
  assert.equal(finding.found, 'there is no file /nowhere');
});

test('without tor nothing can be published, and that is said', async () => {
  await using directory = await makeTemporaryDirectory();
  const finding = await runCheck(torCheck(homeAt(directory.path), Date.now), { signal });
  assert.deepEqual([finding.verdict, finding.found], ['fail', 'tor does not run']);
});

const step = (id: 'tor' | 'blocks' | 'index' | 'target', state: 'done' | 'working' | 'skipped') =>
  ({ id, title: `the ${id}`, state, detail: `block 7` }) as const;

test('a target in step will do, whatever else is not done, and one with an index of its own', () => {
  const steps = [step('tor', 'working'), step('blocks', 'skipped'), step('index', 'skipped')];
  assert.equal(judgeTargetSteps([...steps, step('target', 'done')]).verdict, 'ok');
  assert.equal(judgeTargetSteps([...steps, step('target', 'working')]).verdict, 'fail');
});

test('the first step that the target is not done with is told', () => {
  const steps = [step('blocks', 'done'), step('index', 'working'), step('target', 'done')];
  assert.deepEqual(judgeTargetSteps(steps), {
    verdict: 'fail',
    found: 'the index: not yet, block 7',
    todo: 'Wait until it is: sotto status --watch',
  });
});
