import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'vitest';
import { startChild } from './child-process.ts';
import { endMarkedProcesses, findMarkedProcesses } from './marked-processes.ts';
import { waitUntil } from './wait-until.ts';

test('processes with the mark are found and ended, with their children, and no others', async () => {
  const signal = AbortSignal.timeout(10_000);
  const mark = { name: 'SOTTO_TEST_MARK', value: randomBytes(8).toString('hex') };
  const options = { command: 'sh', signal, stopTimeoutMs: 1_000 };
  const sleepers = ['-c', 'sleep 60 & sleep 60'];
  await using marked = await startChild({
    ...options,
    args: sleepers,
    env: { [mark.name]: mark.value },
  });
  await using stubborn = await startChild({
    ...options,
    args: ['-c', 'trap "" TERM; while :; do sleep 0.01; done'],
    env: { [mark.name]: mark.value },
  });
  await using other = await startChild({ ...options, args: sleepers });
  await waitUntil(async () => (await findMarkedProcesses(mark)).length >= 4 || undefined, {
    what: 'the processes to start',
    timeoutMs: 5_000,
    intervalMs: 10,
    signal,
  });
  await endMarkedProcesses(mark, { graceMs: 300, signal });
  assert.deepEqual(await findMarkedProcesses(mark), []);
  assert.equal((await marked.exited).signal, 'SIGTERM');
  assert.equal((await stubborn.exited).signal, 'SIGKILL');
  process.kill(other.pid, 0);
});
