import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { test } from 'vitest';
import { LineTooLongError, lineStream } from './line-stream.ts';

async function linesOf(chunks: readonly Uint8Array[], limit = 1000): Promise<string[]> {
  const [near, far] = duplexPair();
  for (const chunk of chunks) far.write(chunk);
  far.end();
  const lines: string[] = [];
  for await (const line of lineStream(near, limit).lines) lines.push(line);
  return lines;
}

test('lines come out whole however the bytes were cut into chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''))),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        assert.deepEqual(await linesOf(chunks), lines);
      },
    ),
    { numRuns: 50 },
  );
});

test('a line over the limit is refused before its end has come', async () => {
  await assert.rejects(linesOf([Buffer.alloc(600, 'x'), Buffer.alloc(600, 'x')]), LineTooLongError);
  await assert.rejects(linesOf([Buffer.from(`${'x'.repeat(1001)}\n`)]), LineTooLongError);
  assert.deepEqual(await linesOf([Buffer.from(`${'x'.repeat(1000)}\n`)]), ['x'.repeat(1000)]);
});

test('an unfinished last line is dropped and a carriage return is not part of a line', async () => {
  assert.deepEqual(await linesOf([Buffer.from('250 OK\r\n25')]), ['250 OK']);
});

test('a reset of the connection ends the lines without an error', async () => {
  const [near, far] = duplexPair();
  const { lines } = lineStream(near, 100);
  far.write('one\n');
  setImmediate(() => near.destroy(new Error('reset')));
  const seen: string[] = [];
  for await (const line of lines) seen.push(line);
  assert.deepEqual(seen, ['one']);
});

test('a write waits for a peer that does not read, and ends when the peer is gone', async () => {
  const [near, far] = duplexPair();
  const stream = lineStream(near, 100);
  let written = false;
  const writing = (async () => {
    for (let i = 0; i < 100 && !near.destroyed; i++) await stream.write('x'.repeat(10_000));
    written = true;
  })();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(written, false);
  far.destroy();
  near.destroy();
  await writing;
});
