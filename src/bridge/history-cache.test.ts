import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { headersOf, payingChain, testScript, verifiedHistory } from '../../test/chain-histories.ts';
import { UserError } from '../base/errors.ts';
import { silent } from '../base/log.ts';
import { type CachedHistory, type HistoryCache, openHistoryCache } from './history-cache.ts';

const KEY = new Uint8Array(32).fill(5);
const NAMES = ['first', 'second', 'third', 'unused'];

let directory: string;
let chain: ReturnType<typeof payingChain>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'history-cache-'));
  chain = payingChain();
  for (const name of NAMES.slice(0, 3)) {
    chain.pay(testScript(name).script, 50_000n);
    chain.mine(1);
  }
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function open(key = KEY): Promise<HistoryCache> {
  const { signal } = new AbortController();
  return openHistoryCache({ directory, key, headers: headersOf(chain), log: silent, signal });
}

function entryOf(name: string, due = 1000): CachedHistory {
  const history = verifiedHistory(chain, testScript(name).scriptHash);
  return { history, due, wantedAt: 500 };
}

async function putAll(): Promise<void> {
  await using cache = await open();
  for (const name of NAMES) cache.put(entryOf(name));
}

test('what was put is there at once, and again after a restart', async () => {
  const { scriptHash } = testScript('first');
  {
    await using cache = await open();
    cache.put(entryOf('first', 1000));
    cache.put(entryOf('first', 2000));
    assert.equal(cache.get(scriptHash)?.due, 2000);
    await cache.saved;
  }
  await using cache = await open();
  assert.equal(cache.size, 1);
  assert.deepEqual([...cache.all()], [entryOf('first', 2000)]);
  assert.deepEqual(cache.get(scriptHash), entryOf('first', 2000));
});

test('what was deleted stays away', async () => {
  await putAll();
  const { scriptHash } = testScript('second');
  {
    await using cache = await open();
    cache.delete(scriptHash);
    assert.equal(cache.get(scriptHash), undefined);
  }
  await using cache = await open();
  assert.equal(cache.get(scriptHash), undefined);
  assert.equal(cache.size, 3);
});

test('histories whose blocks have left the chain are known at opening, and not in the cache', async () => {
  await putAll();
  chain.reorg(2);
  await using cache = await open();
  const lost = [testScript('second').scriptHash, testScript('third').scriptHash];
  assert.deepEqual(cache.lostAtOpening, lost);
  assert.equal(cache.size, 2);
  assert.ok(lost.every((scriptHash) => cache.get(scriptHash) === undefined));
});

test('the file grows with what it holds, not with how often that changes', async () => {
  const { script, scriptHash } = testScript('busy');
  for (let payment = 1; payment <= 60; payment += 1) {
    chain.pay(script, 50_000n);
    if (payment % 20 === 0) chain.mine(1);
  }
  const busy = entryOf('busy');
  {
    await using cache = await open();
    for (let round = 0; round < 60; round += 1) {
      cache.put({ ...busy, due: round });
      await cache.saved;
    }
  }
  const { size, mode } = await stat(join(directory, 'histories'));
  assert.ok(size <= 257 * 4096, `${size} bytes`);
  assert.equal(mode & 0o777, 0o600);
  await using cache = await open();
  assert.equal(cache.get(scriptHash)?.due, 59);
});

test('histories that are new are appended, however many they are', async () => {
  const { history, ...times } = entryOf('first');
  const path = join(directory, 'histories');
  await using cache = await open();
  const { ino } = await stat(path);
  for (let index = 0; index < 600; index += 1) {
    const scriptHash = index.toString(16).padStart(64, '0');
    cache.put({ ...times, history: { ...history, scriptHash } });
  }
  await cache.saved;
  const after = await stat(path);
  assert.equal(after.size, 601 * 4096);
  assert.equal(after.ino, ino);
});

test('addresses with one transaction, with many, and with none look alike on the disk', async () => {
  const several = testScript('several');
  for (let payment = 0; payment < 6; payment += 1) chain.pay(several.script, 50_000n);
  const path = join(directory, 'histories');
  const grown: number[] = [];
  for (const name of ['unused', 'first', 'several']) {
    {
      await using cache = await open();
      const before = (await stat(path)).size;
      cache.put(entryOf(name));
      await cache.saved;
      grown.push((await stat(path)).size - before);
    }
  }
  assert.deepEqual(grown, [4096, 4096, 4096]);
  const bytes = await readFile(path);
  for (const name of ['unused', 'first', 'several']) {
    const { scriptHash } = testScript(name);
    assert.ok(!bytes.includes(Buffer.from(scriptHash, 'hex')));
    assert.ok(!bytes.includes(scriptHash));
  }
});

test('a damaged file and another key are refused with what to do about it', async () => {
  await putAll();
  const path = join(directory, 'histories');
  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', /delete the file/);
    return true;
  };
  await assert.rejects(open(new Uint8Array(32)), refused(/another key/));
  const bytes = await readFile(path);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await assert.rejects(open(), refused(/is damaged: page 1 does not open/));
});
