import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import type { Check, Finding } from './finding.ts';
import { runChecks } from './run-checks.ts';

const signal = AbortSignal.timeout(10_000);

function checkOf(id: string, run: Check['run']): Check {
  return { id, title: `the ${id}`, run };
}

async function all(...checks: readonly Check[]): Promise<readonly Finding[]> {
  const told: Finding[] = [];
  const onFinding = (finding: Finding): void => void told.push(finding);
  const findings = await runChecks(checks, { signal, onFinding });
  assert.deepEqual(told, findings);
  return findings;
}

test('what each check found comes in order, with its name', async () => {
  const findings = await all(
    checkOf('disk', () => Promise.resolve({ verdict: 'ok', found: 'room' })),
    checkOf('clock', () => Promise.resolve({ verdict: 'warn', found: 'late', todo: 'set it' })),
  );
  assert.deepEqual(findings, [
    { id: 'disk', title: 'the disk', verdict: 'ok', found: 'room' },
    { id: 'clock', title: 'the clock', verdict: 'warn', found: 'late', todo: 'set it' },
  ]);
});

test('a check that cannot be made fails, and the others are made all the same', async () => {
  const findings = await all(
    checkOf('docker', () => Promise.reject(new UserError('it is away', { hint: 'bring it' }))),
    checkOf('tor', () => Promise.reject(new RangeError('strange'))),
    checkOf('disk', () => Promise.resolve({ verdict: 'ok', found: 'room' })),
  );
  assert.deepEqual(
    findings.map(({ verdict, found, todo }) => [verdict, found, todo]),
    [
      ['fail', 'not to be checked: it is away', 'bring it'],
      ['fail', 'not to be checked: strange', undefined],
      ['ok', 'room', undefined],
    ],
  );
});

test('an interrupted check is no finding', async () => {
  const controller = new AbortController();
  const reason = new Error('stopped');
  const check = checkOf('tor', () => {
    controller.abort(reason);
    return Promise.reject(new Error('the socket closed'));
  });
  await assert.rejects(runChecks([check], controller), reason);
});
