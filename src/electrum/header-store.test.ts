import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { easyNetwork, mineRow, spaced, START } from '../../test/mined-headers.ts';
import { concatBytes } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { HEADER_BYTES } from '../bitcoin/block-header.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { openHeaderStore } from './header-store.ts';

const params = easyNetwork('fixed');
const options = { params, clock: () => (START + 1_000_000) * 1000 };
const TRUNK = mineRow(params.genesis, spaced(30));
const BRANCH = mineRow(
  TRUNK.subarray(19 * HEADER_BYTES, 20 * HEADER_BYTES),
  spaced(11, { from: 21, branch: 1 }),
);

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'header-store-'));
  path = join(directory, 'headers');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Saves the trunk and returns the bytes on disk. */
async function saveTrunk(): Promise<Buffer> {
  await using store = await openHeaderStore(path, options);
  store.chain.connect(1, TRUNK);
  await store.save();
  return await readFile(path);
}

async function heightAfterOpening(): Promise<number> {
  await using store = await openHeaderStore(path, options);
  return store.chain.tip.height;
}

test('a chain that was saved is there again, in a file for its owner only', async () => {
  assert.deepEqual(new Uint8Array(await saveTrunk()), concatBytes(params.genesis, TRUNK));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(await heightAfterOpening(), 30);
});

test('a saved reorganisation replaces the end of the file', async () => {
  await saveTrunk();
  await using store = await openHeaderStore(path, options);
  store.chain.connect(21, BRANCH);
  await store.save();
  const expected = concatBytes(params.genesis, TRUNK.subarray(0, 20 * HEADER_BYTES), BRANCH);
  assert.deepEqual(new Uint8Array(await readFile(path)), expected);
});

test.each([1, 79, 80, 81, 500])(
  'a file torn %i bytes before its end loses only those',
  async (torn) => {
    const whole = await saveTrunk();
    await writeFile(path, whole.subarray(0, whole.length - torn));
    assert.equal(await heightAfterOpening(), 30 - Math.ceil(torn / HEADER_BYTES));
    assert.deepEqual(await saveTrunk(), whole);
  },
);

test('what follows a damaged header is dropped and written anew', async () => {
  const whole = await saveTrunk();
  const damaged = Buffer.from(whole);
  damaged[10 * HEADER_BYTES + 20] = (damaged[10 * HEADER_BYTES + 20] ?? 0) ^ 1;
  await writeFile(path, damaged);
  assert.ok((await heightAfterOpening()) < 10);
  assert.deepEqual(await saveTrunk(), whole);
});

test('a file of another network is refused and left as it is', async () => {
  const other = Buffer.from(networkParams('signet').genesis);
  await writeFile(path, other);
  await assert.rejects(openHeaderStore(path, options), UserError);
  assert.deepEqual(await readFile(path), other);
});
