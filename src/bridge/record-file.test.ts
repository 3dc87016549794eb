import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, test } from 'vitest';
import { equalBytes } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { openRecordFile, type RecordFile, rewriteRecordFile } from './record-file.ts';
import { PAGE_BYTES, PAGE_ROOM } from './sealed-page.ts';

const KEY = new Uint8Array(32).fill(3);
const { signal } = new AbortController();

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'record-file-'));
  path = join(directory, 'records');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function record(name: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(name);
}

async function open(records: Uint8Array[] = [], key = KEY): Promise<RecordFile> {
  return await openRecordFile({
    path,
    key,
    signal,
    onRecord: (each) => records.push(each),
  });
}

async function recordsInFile(): Promise<Uint8Array[]> {
  const records: Uint8Array[] = [];
  await (await open(records))[Symbol.asyncDispose]();
  return records;
}

/** Appends each batch with a write of its own. */
async function write(...batches: readonly Uint8Array[][]): Promise<void> {
  await using file = await open();
  for (const batch of batches) await file.append(batch);
}

async function change(changed: (bytes: Buffer) => Uint8Array): Promise<void> {
  await writeFile(path, changed(await readFile(path)));
}

function pageOf(bytes: Buffer, number: number): Buffer {
  return bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
}

test('records of any length are read back in order, from a file for its owner only', async () => {
  const lengths = [0, 1, PAGE_ROOM - 1, PAGE_ROOM, PAGE_ROOM + 1, 3 * PAGE_ROOM, 300_000];
  const records = lengths.map((length, index) => record(index + 1, length));
  await write(records.slice(0, 3), records.slice(3));
  assert.deepEqual(await recordsInFile(), records);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('what was appended after a restart follows what was there', async () => {
  await write([record(1)]);
  await write([record(2)]);
  assert.deepEqual(await recordsInFile(), [record(1), record(2)]);
});

test('equal records make files that have nothing in common but their length', async () => {
  const same = Array.from({ length: 20 }, () => record(7));
  await write(same);
  const first = await readFile(path);
  await rm(path);
  await write(same);
  const second = await readFile(path);
  const pages = [first, second].flatMap((bytes) =>
    Array.from({ length: 20 }, (_, index) =>
      pageOf(bytes, index + 1)
        .subarray(4)
        .toString('hex'),
    ),
  );
  assert.equal(new Set(pages).size, 40);
  assert.equal(first.length, second.length);
});

test('another key is refused in words that say so, and the file stays as it is', async () => {
  await write([record(1)]);
  const before = await readFile(path);
  await assert.rejects(open([], new Uint8Array(32).fill(4)), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /sealed with another key/);
    return true;
  });
  assert.deepEqual(await readFile(path), before);
});

test('wherever the machine stops in a write, the records before it are read', async () => {
  await write([record(1)], [record(2, 2 * PAGE_ROOM)], [record(3)]);
  const whole = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (length) => {
      await writeFile(path, whole);
      await truncate(path, length);
      const pages = Math.floor(length / PAGE_BYTES);
      const kept = pages < 2 ? 0 : pages < 4 ? 1 : pages < 5 ? 2 : 3;
      assert.equal((await recordsInFile()).length, kept);
      await write([record(9)]);
      assert.deepEqual((await recordsInFile()).at(-1), record(9));
    }),
    { numRuns: 40 },
  );
});

test('a last write of which some pages have not reached the disk is dropped', async () => {
  await write([record(1)], [record(2), record(3), record(4)]);
  await change((bytes) => {
    pageOf(bytes, 3).fill(0);
    return bytes;
  });
  assert.deepEqual(await recordsInFile(), [record(1), record(2)]);
  await write([record(5)]);
  assert.deepEqual(await recordsInFile(), [record(1), record(2), record(5)]);
});

test('any bit that flips before the last write is refused', async () => {
  await write([record(1)], [record(2, 2 * PAGE_ROOM)], [record(3)]);
  const whole = await readFile(path);
  const bits = fc
    .nat(4 * PAGE_BYTES * 8 - 1)
    .filter((bit) => bit < 48 * 8 || bit >= 8 * PAGE_BYTES);
  await fc.assert(
    fc.asyncProperty(bits, async (bit) => {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      await assert.rejects(open(), UserError);
    }),
    { numRuns: 100 },
  );
});

test('a page that was taken out, doubled or swapped with another is refused', async () => {
  await write([record(1)], [record(2)], [record(3)], [record(4)]);
  const whole = await readFile(path);
  const page = (number: number): Buffer => pageOf(whole, number);
  const damaged = [
    [page(0), page(1), page(3), page(4)],
    [page(0), page(2), page(3), page(4)],
    [page(0), page(1), page(1), page(2), page(3), page(4)],
    [page(0), page(1), page(3), page(2), page(4)],
  ];
  for (const pages of damaged) {
    await writeFile(path, Buffer.concat(pages));
    await assert.rejects(open(), /is damaged: page \d is another one/);
  }
});

test('a page of another file under the same key is refused', async () => {
  await write([record(1)], [record(2)]);
  const other = await readFile(path);
  await rm(path);
  await write([record(1)], [record(2)], [record(3)]);
  await change((bytes) =>
    Buffer.concat([pageOf(bytes, 0), pageOf(other, 1), bytes.subarray(8192)]),
  );
  await assert.rejects(open(), /is damaged: page 1 does not open/);
});

test('a file written anew holds only what it was given, and takes the place of the old one', async () => {
  await write([record(1)], [record(2)], [record(3)]);
  {
    await using file = await rewriteRecordFile({ path, key: KEY, batches: [[record(2)], []] });
    assert.equal(file.pages, 2);
    await file.append([record(4)]);
  }
  assert.deepEqual(await recordsInFile(), [record(2), record(4)]);
  assert.deepEqual(await readdir(directory), ['records']);
});

test('a file that could not be written anew leaves the old one, and nothing beside it', async () => {
  await write([record(1)]);
  const failing = function* (): Generator<Uint8Array[]> {
    yield [record(2)];
    throw new Error('no space');
  };
  await assert.rejects(rewriteRecordFile({ path, key: KEY, batches: failing() }), /no space/);
  assert.deepEqual(await recordsInFile(), [record(1)]);
  assert.deepEqual(await readdir(directory), ['records']);
});

test('nothing of a record can be seen in the file', async () => {
  const secret = Uint8Array.from({ length: 64 }, (_, index) => index + 100);
  await write([secret]);
  const bytes = await readFile(path);
  for (let at = 0; at + 8 <= bytes.length; at += 1) {
    assert.ok(!equalBytes(bytes.subarray(at, at + 8), secret.subarray(0, 8)));
  }
});
