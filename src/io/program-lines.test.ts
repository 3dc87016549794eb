import assert from 'node:assert/strict';
import { test } from 'vitest';
import { programLines, type ProgramLinesOptions } from './program-lines.ts';

function shell(script: string, signal = AbortSignal.timeout(10_000)): ProgramLinesOptions {
  return { command: 'sh', args: ['-c', script], maxLineBytes: 1000, signal };
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

test('lines of both outputs come in the order in which they were written', async () => {
  const lines = await all(programLines(shell('echo 1; echo 2 >&2; echo 3; printf 4')));
  assert.deepEqual(lines, ['1', '2', '3', '4']);
});

test('a line that is too long comes in pieces', async () => {
  const lines = await all(programLines(shell('head -c 100000 /dev/zero | tr "\\0" x')));
  assert.equal(lines.join('').length, 100_000);
  assert.ok(lines.length > 1);
});

test('who stops reading ends the program', async () => {
  for await (const line of programLines(shell('yes'))) {
    assert.equal(line, 'y');
    break;
  }
});

test('the signal ends the lines', async () => {
  const lines = await all(programLines(shell('echo 1; sleep 30', AbortSignal.timeout(100))));
  assert.deepEqual(lines, ['1']);
});
