import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { easyNetwork, mineRow, spaced, START } from '../../test/mined-headers.ts';
import { concatBytes } from '../base/bytes.ts';
import { hashOf, HEADER_BYTES } from '../bitcoin/block-header.ts';
import { HeaderChain } from './header-chain.ts';
import { HeaderSyncError, type HeaderSource, syncHeaders } from './header-sync.ts';

/** Every second hash is good enough. */
const BITS = 0x207f_ffff;
const PARAMS = easyNetwork('fixed', BITS);
const TRUNK = mineRow(PARAMS.genesis, spaced(9000, { spacing: 1, bits: BITS }));
const NOW = (START + 20_000) * 1000;
const FORK = 8000;
const BRANCH = mineRow(
  TRUNK.subarray((FORK - 1) * HEADER_BYTES, FORK * HEADER_BYTES),
  spaced(1500, { from: FORK + 1, spacing: 1, bits: BITS, branch: 1 }),
);
const LONGER = concatBytes(TRUNK.subarray(0, FORK * HEADER_BYTES), BRANCH);

interface TestSource extends HeaderSource {
  readonly asked: number[];
}

/** Serves headers honestly, from height 1 on. */
function source(name: string, headers: Uint8Array): TestSource {
  const all = concatBytes(PARAMS.genesis, headers);
  const asked: number[] = [];
  return {
    name,
    asked,
    headers(start, count) {
      asked.push(start);
      return Promise.resolve(all.slice(start * HEADER_BYTES, (start + count) * HEADER_BYTES));
    },
  };
}

function answering(name: string, answer: HeaderSource['headers']): HeaderSource {
  return { name, headers: answer };
}

function newChain(): HeaderChain {
  return new HeaderChain(PARAMS, () => NOW);
}

const signal = new AbortController().signal;
const tipOf = (headers: Uint8Array): string => hashOf(headers.subarray(-HEADER_BYTES));

test('the chunks are shared out among the sources', async () => {
  const chain = newChain();
  const sources = [source('a', TRUNK), source('b', TRUNK), source('c', TRUNK)];
  const heights: number[] = [];
  const faults = await syncHeaders({
    chain,
    sources,
    signal,
    onProgress: ({ height }) => heights.push(height),
  });
  assert.deepEqual(faults, []);
  assert.equal(chain.tip.hash, tipOf(TRUNK));
  assert.equal(heights.at(-1), 9000);
  assert.deepEqual(
    heights,
    heights.toSorted((x, y) => x - y),
  );
  for (const { asked } of sources) assert.ok(asked.some((start) => start > 2016 && start < 9000));
});

test('a chain that is complete asks each source once', async () => {
  const chain = newChain();
  chain.connect(1, TRUNK);
  const sources = [source('a', TRUNK), source('b', TRUNK)];
  await syncHeaders({ chain, sources, signal });
  assert.deepEqual(
    sources.map(({ asked }) => asked),
    [[9000], [9000]],
  );
});

test('the branch with the most work wins, whoever brings it', async () => {
  for (const order of [
    [TRUNK, LONGER],
    [LONGER, TRUNK],
  ]) {
    const chain = newChain();
    const sources = order.map((headers, index) => source(String(index), headers));
    assert.deepEqual(await syncHeaders({ chain, sources, signal }), []);
    assert.equal(chain.tip.hash, tipOf(LONGER));
  }
});

test('a chain follows its only source through a reorganisation', async () => {
  const chain = newChain();
  chain.connect(1, TRUNK);
  await syncHeaders({ chain, sources: [source('a', LONGER)], signal });
  assert.equal(chain.tip.hash, tipOf(LONGER));
});

test('a branch of many chunks with more work is followed', async () => {
  const chain = newChain();
  const other = mineRow(PARAMS.genesis, spaced(5000, { spacing: 1, bits: BITS, branch: 2 }));
  chain.connect(1, other);
  await syncHeaders({ chain, sources: [source('a', TRUNK)], signal });
  assert.equal(chain.tip.hash, tipOf(TRUNK));
});

test('a source that is behind is not at fault', async () => {
  const chain = newChain();
  const behind = source('behind', TRUNK.subarray(0, 100 * HEADER_BYTES));
  const faults = await syncHeaders({ chain, sources: [behind, source('a', TRUNK)], signal });
  assert.deepEqual(faults, []);
  assert.equal(chain.tip.height, 9000);
});

test('a source that sends forged work is named, and the others complete the chain', async () => {
  const forged = Uint8Array.from(TRUNK);
  const at = 3000 * HEADER_BYTES - 1;
  do forged[at] = ((forged[at] ?? 0) + 1) & 0xff;
  while (hashOf(forged.subarray(at + 1 - HEADER_BYTES, at + 1)) < '8');
  const chain = newChain();
  const sources = [source('liar', forged), source('a', TRUNK)];
  const faults = await syncHeaders({ chain, sources, signal });
  assert.deepEqual(
    faults.map(({ source: name, kind }) => [name, kind]),
    [['liar', 'lies']],
  );
  assert.equal(chain.tip.hash, tipOf(TRUNK));
});

const BAD_ANSWERS: readonly [string, 'lies' | 'stalls' | 'fails', HeaderSource['headers']][] = [
  ['sends a part of a header', 'lies', () => Promise.resolve(new Uint8Array(79))],
  ['sends more than was asked for', 'lies', () => Promise.resolve(new Uint8Array(2017 * 80))],
  ['sends zeros', 'lies', () => Promise.resolve(new Uint8Array(80))],
  ['never answers', 'stalls', () => new Promise(() => undefined)],
  ['hangs up', 'fails', () => Promise.reject(new Error('hung up'))],
];

test.each(BAD_ANSWERS)('a source that %s is named', async (_, kind, answer) => {
  const chain = newChain();
  const sources = [answering('bad', answer), source('a', TRUNK)];
  const faults = await syncHeaders({ chain, sources, signal, timeoutMs: 50 });
  assert.deepEqual(
    faults.map((fault) => [fault.source, fault.kind]),
    [['bad', kind]],
  );
  assert.equal(chain.tip.hash, tipOf(TRUNK));
});

test('a source that stalls half-way is named', async () => {
  const chain = newChain();
  const honest = source('a', TRUNK);
  const stalling = answering('slow', (start, count, options) =>
    start > 4000 ? new Promise(() => undefined) : honest.headers(start, count, options),
  );
  const faults = await syncHeaders({ chain, sources: [stalling, honest], signal, timeoutMs: 50 });
  assert.deepEqual(
    faults.map((fault) => [fault.source, fault.kind]),
    [['slow', 'stalls']],
  );
  assert.equal(chain.tip.hash, tipOf(TRUNK));
});

test('a source that is silent holds up two others for a moment only', async () => {
  const chain = newChain();
  const never = answering('slow', () => new Promise(() => undefined));
  const start = performance.now();
  const faults = await syncHeaders({
    chain,
    sources: [never, source('a', TRUNK), source('b', TRUNK)],
    signal,
    timeoutMs: 20_000,
    graceMs: 50,
  });
  assert.ok(performance.now() - start < 5_000);
  assert.deepEqual(faults, [
    { source: 'slow', kind: 'stalls', reason: 'much later than the others' },
  ]);
  assert.equal(chain.tip.hash, tipOf(TRUNK));
});

test('one source alone does not make another hurry', async () => {
  const honest = source('a', TRUNK);
  const slow = answering('slow', async (...question) => {
    await sleep(100);
    return honest.headers(...question);
  });
  const sources = [slow, honest];
  assert.deepEqual(await syncHeaders({ chain: newChain(), sources, signal, graceMs: 0 }), []);
});

test('without a source that is not at fault it fails and names them all', async () => {
  const sources = BAD_ANSWERS.map(([name, , answer]) => answering(name, answer));
  await assert.rejects(
    syncHeaders({ chain: newChain(), sources, signal, timeoutMs: 50 }),
    (error) => {
      assert.ok(error instanceof HeaderSyncError);
      assert.equal(error.faults.length, BAD_ANSWERS.length);
      return true;
    },
  );
});

test('it stops when aborted', async () => {
  const stop = new AbortController();
  const never = answering('never', () => new Promise(() => undefined));
  const syncing = syncHeaders({ chain: newChain(), sources: [never], signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(syncing, /enough/);
});
