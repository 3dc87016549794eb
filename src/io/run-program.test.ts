import assert from 'node:assert/strict';
import { test } from 'vitest';
import { type ProgramRun, runProgram } from './run-program.ts';

function shell(script: string, changes: Partial<ProgramRun> = {}): ProgramRun {
  const signal = AbortSignal.timeout(10_000);
  return { command: 'sh', args: ['-c', script], maxOutputBytes: 1000, signal, ...changes };
}

test('what a program prints and how it ends is handed back', async () => {
  const output = await runProgram(shell('echo out; echo err >&2; exit 3'));
  assert.deepEqual(output, { code: 3, stdout: 'out\n', stderr: 'err\n' });
});

test('its input is given and closed', async () => {
  const { stdout } = await runProgram(shell('cat', { input: 'secret' }));
  assert.equal(stdout, 'secret');
});

test('a program that does not exist is told apart', async () => {
  await assert.rejects(runProgram(shell('', { command: 'no-such-program' })), { code: 'ENOENT' });
});

test('a program that prints without end is ended', async () => {
  await assert.rejects(runProgram(shell('exec yes')), RangeError);
});

test('the signal ends a program and what it started', async () => {
  const started = performance.now();
  const signal = AbortSignal.timeout(100);
  await assert.rejects(runProgram(shell('sleep 30 & sleep 30; true', { signal })), {
    name: 'TimeoutError',
  });
  assert.ok(performance.now() - started < 5_000);
});

test('a program that ignores its end is killed', async () => {
  const started = performance.now();
  const signal = AbortSignal.timeout(100);
  await assert.rejects(runProgram(shell("trap '' TERM; while :; do sleep 0.1; done", { signal })));
  assert.ok(performance.now() - started < 5_000);
});
