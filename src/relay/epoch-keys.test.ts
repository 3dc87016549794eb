import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { toHex } from '../base/bytes.ts';
import { type LogFields, type Logger, silent } from '../base/log.ts';
import { UserError } from '../base/errors.ts';
import { openCell, sealCell } from './cell.ts';
import { type EpochKeys, openEpochKeys } from './epoch-keys.ts';
import { RelayError } from './relay-error.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The start of epoch 300, whose key id is 44. */
const START = 300 * DAY;
const NODE_ID = 'ab'.repeat(16);

let directory: string;
const opened: EpochKeys[] = [];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'sotto-epoch-')), 'epoch-keys');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: START });
});
afterEach(async () => {
  for (const keys of opened.splice(0)) await keys[Symbol.asyncDispose]();
  vi.useRealTimers();
  await rm(join(directory, '..'), { recursive: true });
});

async function open(log: Logger = silent): Promise<EpochKeys> {
  const keys = await openEpochKeys({ directory, epochMs: DAY, clock: Date.now, log });
  opened.push(keys);
  return keys;
}

/** Moves the time and waits until the turn that this starts is done. */
async function advance(ms: number, until: () => Promise<boolean> | boolean): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  vi.advanceTimersByTime(HOUR);
  vi.setSystemTime(Date.now() - HOUR);
  await vi.waitFor(
    async () => {
      assert.ok(await until());
    },
    { timeout: 2_000, interval: 1 },
  );
}

const files = async (): Promise<string[]> => (await readdir(directory)).sort();

test('a node has the keys of this epoch and the next, in files that only its owner reads', async () => {
  const keys = await open();
  assert.deepEqual(await files(), ['epoch-300.seed', 'epoch-301.seed']);
  for (const name of await files()) {
    assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600);
  }
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  const published = keys.published();
  assert.deepEqual(
    published.map(({ epoch, keyConfig }) => [epoch, keyConfig[0]]),
    [
      [300, 44],
      [301, 45],
    ],
  );
  assert.deepEqual(keys.keyFor(44)?.keyConfig, published[0]?.keyConfig);
  assert.deepEqual(keys.keyFor(45)?.keyConfig, published[1]?.keyConfig);
  assert.equal(keys.keyFor(43), undefined);
  assert.equal(keys.keyFor(46), undefined);
});

test('a node that starts again has the same keys', async () => {
  const before = (await open()).published();
  assert.deepEqual((await open()).published(), before);
});

test('a key opens cells 2 hours longer than its epoch; then file and memory are erased', async () => {
  const keys = await open();
  const [current] = keys.published();
  assert.ok(current);
  const { cell } = sealCell({
    keyConfig: current.keyConfig,
    nodeId: NODE_ID,
    plaintext: Uint8Array.of(1),
  });
  const tryOpen = (): string =>
    toHex(openCell({ cell, nodeId: NODE_ID, keyFor: (id) => keys.keyFor(id) }).plaintext);

  await advance(DAY, () => keys.published().length === 2);
  assert.deepEqual(
    keys.published().map(({ epoch }) => epoch),
    [301, 302],
  );
  vi.setSystemTime(START + DAY + 2 * HOUR - 1);
  assert.equal(tryOpen(), '01');

  // The clock alone ends it: the timer that erases may be late.
  vi.setSystemTime(START + DAY + 2 * HOUR);
  assert.equal(keys.keyFor(44), undefined);
  assert.throws(tryOpen, (error) => error instanceof RelayError && error.code === 'KEY_UNKNOWN');
  await advance(0, async () => !(await files()).includes('epoch-300.seed'));
  assert.deepEqual(await files(), ['epoch-301.seed', 'epoch-302.seed']);

  // Also when the clock is set back, there is nothing left to open it with.
  vi.setSystemTime(START + DAY);
  assert.equal(keys.keyFor(44), undefined);
});

test('keys that ended while the node was down, and half-written ones, are erased at its start', async () => {
  const keys = await open();
  await keys[Symbol.asyncDispose]();
  await writeFile(join(directory, 'epoch-301.seed.0badcafe.tmp'), new Uint8Array(20));
  vi.setSystemTime(START + 10 * DAY);
  const later = await open();
  assert.deepEqual(await files(), ['epoch-310.seed', 'epoch-311.seed']);
  assert.equal(later.keyFor(44), undefined);
});

test('a node that was down at the end of an epoch still opens its last cells', async () => {
  const [first] = (await open()).published();
  vi.setSystemTime(START + DAY + HOUR);
  const keys = await open();
  assert.deepEqual(keys.keyFor(44)?.keyConfig, first?.keyConfig);
});

test('disposing forgets the keys and keeps the files', async () => {
  const keys = await open();
  await keys[Symbol.asyncDispose]();
  assert.equal(keys.keyFor(44), undefined);
  assert.equal((await files()).length, 2);
  assert.equal(vi.getTimerCount(), 0);
});

test('a damaged key is told to the operator and not replaced', async () => {
  await (await open())[Symbol.asyncDispose]();
  await writeFile(join(directory, 'epoch-300.seed'), 'short');
  await assert.rejects(open(), UserError);
  assert.equal(await readFile(join(directory, 'epoch-300.seed'), 'utf8'), 'short');
});

test('when keys cannot be kept, the node says so, and tries again', async () => {
  const errors: (LogFields | undefined)[] = [];
  const log = { ...silent, error: (_: string, fields?: LogFields) => errors.push(fields) };
  const keys = await open(log);
  await rm(directory, { recursive: true });
  vi.setSystemTime(START + DAY);
  vi.advanceTimersByTime(HOUR);
  await vi.waitFor(
    () => {
      assert.equal(errors.length, 1);
    },
    { timeout: 2_000, interval: 1 },
  );
  await mkdir(directory);
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(
    () => {
      assert.equal(keys.published().length, 2);
    },
    { timeout: 2_000, interval: 1 },
  );
  assert.ok((await files()).includes('epoch-302.seed'));
});
