import assert from 'node:assert/strict';
import { test } from 'vitest';
import { payingChain, testScript, verifiedHistory } from '../../test/chain-histories.ts';
import { type Logger, silent } from '../base/log.ts';
import { CacheWriter } from './cache-writer.ts';
import { type CachedHistory } from './history-cache.ts';
import { scriptHashOfRecord } from './history-record.ts';
import { type RecordFile } from './record-file.ts';

const history = verifiedHistory(payingChain(), testScript('wallet').scriptHash);

/** Keeps what is appended, in the order in which it was written. */
class FileInMemory implements RecordFile {
  readonly pages = 1;
  readonly appended: string[][] = [];
  fails = false;
  writing = 0;

  async append(records: readonly Uint8Array[]): Promise<void> {
    this.writing += 1;
    assert.equal(this.writing, 1, 'one write at a time');
    await Promise.resolve();
    this.writing -= 1;
    if (this.fails) throw new Error('ENOSPC: no space left on device');
    this.appended.push(records.map(scriptHashOfRecord));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function writerOn(file: RecordFile, log: Logger = silent): CacheWriter {
  const histories = new Map<string, CachedHistory>();
  for (const name of NAMES) histories.set(name, { history, due: 1, wantedAt: 1 });
  const pages = new Map<string, number>();
  return new CacheWriter({ file, path: '', key: new Uint8Array(), histories, pages, log });
}

const NAMES = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, '0'));

test('every change is written, in batches, one after the other, a repeated one once', async () => {
  const file = new FileInMemory();
  const writer = writerOn(file);
  for (const name of [...NAMES, ...NAMES]) writer.changed(name);
  await writer.saved;
  assert.deepEqual(file.appended.flat().toSorted(), [...NAMES, NAMES[0]].toSorted());
  assert.ok(file.appended.every((batch) => batch.length <= 32));
});

test('a full disk is told once, stops nothing, and all is written when there is room again', async () => {
  const file = new FileInMemory();
  const lines: string[] = [];
  const log: Logger = {
    ...silent,
    warn: (message, fields) => lines.push(`${message} ${String(fields?.['error'])}`),
    info: (message) => lines.push(message),
  };
  const writer = writerOn(file, log);
  file.fails = true;
  for (const name of NAMES.slice(0, 3)) {
    writer.changed(name);
    await writer.saved;
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /cannot be written.*ENOSPC/);
  assert.deepEqual(file.appended, []);
  file.fails = false;
  writer.changed(NAMES[3] ?? '');
  await writer.saved;
  assert.deepEqual(file.appended.flat(), NAMES.slice(0, 4));
  assert.match(lines[1] ?? '', /can be written again/);
});

test('what waits is written before the file is closed', async () => {
  const file = new FileInMemory();
  {
    await using writer = writerOn(file);
    file.fails = true;
    writer.changed(NAMES[0] ?? '');
    await writer.saved;
    file.fails = false;
  }
  assert.deepEqual(file.appended.flat(), NAMES.slice(0, 1));
});
