import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { utf8 } from '../base/bytes.ts';
import { type FollowOptions, followLog } from './follow-log.ts';
import { rotatingLog } from './rotating-log.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

const NEVER = new AbortController().signal;
const FILES = 3;

async function collect(
  path: string,
  options: Partial<FollowOptions> & { enough?: number } = {},
): Promise<string[]> {
  const { enough = Infinity, ...rest } = options;
  const lines: string[] = [];
  const all = followLog({ path, files: FILES, lines: 1000, follow: false, signal: NEVER, ...rest });
  for await (const line of all) if (lines.push(line) === enough) break;
  return lines;
}

function line(number: number): Uint8Array {
  return utf8(`line ${number} of é\n`);
}

const words = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index} of é`);

test('a log takes no more of the disk than it may, and keeps the newest', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  await using log = rotatingLog({ path, maxBytes: 60, files: FILES });
  for (let number = 1; number <= 50; number++) await log.append(line(number));
  assert.deepEqual((await readdir(directory.path)).sort(), ['log', 'log.1', 'log.2']);
  for (const name of ['log', 'log.1', 'log.2']) {
    const { size, mode } = await stat(join(directory.path, name));
    assert.ok(size <= 60);
    assert.equal(mode & 0o777, 0o600);
  }
  assert.deepEqual((await collect(path)).at(-1), 'line 50 of é');
});

test('it goes on where an earlier process ended', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  for (let number = 1; number <= 9; number++) {
    await using log = rotatingLog({ path, maxBytes: 60, files: FILES });
    await log.append(line(number));
  }
  assert.deepEqual(await collect(path), words(1, 9));
});

test('the last lines are found, over several files where one has too few', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  assert.deepEqual(await collect(path), []);
  await using log = rotatingLog({ path, maxBytes: 60, files: FILES });
  for (let number = 1; number <= 8; number++) await log.append(line(number));
  for (let lines = 0; lines <= 8; lines++) {
    assert.deepEqual(await collect(path, { lines }), words(9 - lines, 8), String(lines));
  }
  assert.deepEqual(await collect(path, { lines: 9 }), words(1, 8));
});

test('following misses nothing and repeats nothing while the log is rotated', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  const following = collect(path, { files: 100, follow: true, enough: 300 });
  await using log = rotatingLog({ path, maxBytes: 200, files: 100 });
  for (let number = 1; number <= 300; number++) {
    await log.append(line(number));
    if (number % 30 === 0) await new Promise((resolve) => setTimeout(resolve, randomInt(30)));
  }
  assert.deepEqual(await following, words(1, 300));
});

test('a log that was rotated before anybody saw it is told from its first line', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  const following = collect(path, { files: 100, follow: true, enough: 100 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await using log = rotatingLog({ path, maxBytes: 200, files: 100 });
  for (let number = 1; number <= 100; number++) await log.append(line(number));
  assert.deepEqual(await following, words(1, 100));
});

test('following ends with its signal', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  const signal = AbortSignal.timeout(50);
  assert.deepEqual(await collect(path, { follow: true, signal }), []);
});

test('what the disk refuses is lost, and told when it takes lines again', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'below', 'log');
  await using log = rotatingLog({ path, maxBytes: 1000, files: FILES });
  await log.append(line(1));
  await log.append(line(2));
  await mkdir(join(directory.path, 'below'));
  await log.append(line(3));
  await log.append(line(4));
  assert.deepEqual(await collect(path), [
    '',
    '[26 bytes of this log were lost: ENOENT]',
    ...words(3, 4),
  ]);
  assert.equal((await readFile(path, 'utf8')).length > 0, true);
});

test('a full disk does not stop who writes', async () => {
  await using log = rotatingLog({ path: '/dev/full', maxBytes: 1000, files: 1 });
  for (let number = 1; number <= 3; number++) await log.append(line(number));
});

test('a log that was removed is not found by those who ask for its end', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  await using log = rotatingLog({ path, maxBytes: 1000, files: FILES });
  await log.append(line(1));
  await rm(path);
  assert.deepEqual(await collect(path), []);
});

test('following goes on with the new log where the old one was removed', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'log');
  const following = collect(path, { follow: true, enough: 2 });
  {
    await using log = rotatingLog({ path, maxBytes: 1000, files: FILES });
    await log.append(line(1));
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  await rm(path);
  await using log = rotatingLog({ path, maxBytes: 1000, files: FILES });
  await log.append(line(2));
  assert.deepEqual(await following, words(1, 2));
});
