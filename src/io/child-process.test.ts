import assert from 'node:assert/strict';
import { test } from 'vitest';
import { type Child, ChildExitError, type ChildOptions, startChild } from './child-process.ts';
import { waitUntil } from './wait-until.ts';

const signal = AbortSignal.timeout(10_000);

function shell(script: string): ChildOptions {
  return { command: 'sh', args: ['-c', script], signal, stopTimeoutMs: 5_000 };
}

/** Starts the script and waits for what it prints first. */
async function startTalking(options: ChildOptions): Promise<Child> {
  let word: string | undefined;
  const child = await startChild({ ...options, onLine: (line) => (word ??= line) });
  const waiting = { what: 'a line', timeoutMs: 5_000, intervalMs: 5, signal };
  await waitUntil(() => word, waiting);
  return child;
}

test('what it prints comes line by line, all of it before its end', async () => {
  const lines: string[] = [];
  await using child = await startChild({
    ...shell('echo one; echo two >&2; printf three'),
    onLine: (line, from) => lines.push(`${from} ${line}`),
  });
  assert.deepEqual(await child.exited, { code: 0, signal: undefined });
  assert.deepEqual(lines.sort(), ['stderr two', 'stdout one', 'stdout three']);
});

test('its input is given and closed, and its environment added to ours', async () => {
  const lines: string[] = [];
  await using child = await startChild({
    ...shell('cat; echo "$GREETING $HOME"'),
    env: { GREETING: 'hello' },
    input: 'secret\n',
    onLine: (line) => lines.push(line),
  });
  await child.exited;
  assert.deepEqual(lines, ['secret', `hello ${process.env['HOME'] ?? ''}`]);
});

test('it gets no other environment than given, when so asked', async () => {
  const lines: string[] = [];
  await using child = await startChild({
    ...shell('env'),
    command: '/bin/sh',
    env: { GREETING: 'hello' },
    isolateEnv: true,
    onLine: (line) => lines.push(line),
  });
  await child.exited;
  assert.deepEqual(
    lines.filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)),
    ['GREETING=hello'],
  );
});

test('a child that prints without end waits for who reads it', async () => {
  let taken = 0;
  let open: () => void = () => undefined;
  const reading = new Promise<void>((resolve) => (open = resolve));
  await using child = await startChild({
    ...shell('head -c 5000000 /dev/zero'),
    onOutput: async (bytes) => {
      taken += bytes.length;
      await reading;
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(taken > 0 && taken < 500_000, String(taken));
  process.kill(child.pid, 0);
  open();
  assert.equal((await child.exited).code, 0);
  assert.equal(taken, 5_000_000);
});

test('disposing lets it end in its own way', async () => {
  const child = await startTalking(
    shell('trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done'),
  );
  await child[Symbol.asyncDispose]();
  assert.deepEqual(await child.exited, { code: 7, signal: undefined });
});

test('one that does not heed SIGTERM is killed after its time', async () => {
  const child = await startTalking({
    ...shell('trap "" TERM; echo ready; while :; do sleep 0.01; done'),
    stopTimeoutMs: 50,
  });
  await child[Symbol.asyncDispose]();
  assert.deepEqual(await child.exited, { code: undefined, signal: 'SIGKILL' });
});

test('its own children end with it, whether disposed or by itself', async () => {
  const disposed = await startTalking(shell('sleep 60 & echo ready; wait'));
  await disposed[Symbol.asyncDispose]();
  const alone = await startTalking(shell('sleep 60 & echo ready'));
  // Resolves once nobody holds its output open: not while a sleep lives.
  await alone.exited;
});

test('one that ends by itself has failed, even with code 0', async () => {
  for (const code of [0, 3]) {
    await using child = await startChild(shell(`exit ${code}`));
    await assert.rejects(
      child.failed,
      (error) => error instanceof ChildExitError && error.exit.code === code,
    );
  }
});

test('one that was disposed has not failed', async () => {
  const child = await startChild(shell('sleep 60'));
  let failed = false;
  child.failed.catch(() => (failed = true));
  await child[Symbol.asyncDispose]();
  await child[Symbol.asyncDispose]();
  assert.equal(failed, false);
});

test('a program that does not exist rejects with ENOENT', async () => {
  await assert.rejects(startChild({ ...shell(''), command: 'no-such-program' }), {
    code: 'ENOENT',
  });
});

test('nothing starts after the signal', async () => {
  await assert.rejects(startChild({ ...shell(''), signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
});
