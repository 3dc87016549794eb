import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { HeaderStore } from '../electrum/header-store.ts';
import { News } from './header-news.ts';
import { HeaderView } from './header-view.ts';
import type { ChainTip } from './lookup.ts';

const never = new AbortController().signal;

/** A view of a chain, and how to change the chain and tell it. The first runs fail with `first`. */
function subject(first?: Error): {
  readonly view: HeaderView;
  readonly runs: () => number;
  readonly becomes: (next: ChainTip | Error) => void;
} {
  const news = new News();
  let tip: ChainTip = { height: 0, hash: 'genesis' };
  let next: ChainTip | Error = first ?? tip;
  let runs = 0;
  const store = {
    chain: {
      get tip() {
        return tip;
      },
    },
    save: () => Promise.resolve(),
  } as unknown as HeaderStore;
  const view = new HeaderView({
    store,
    news: (signal) => news.next(60_000, signal),
    sync: ({ onProgress }) => {
      runs += 1;
      if (next instanceof Error) return Promise.reject(next);
      if (next !== tip) {
        tip = next;
        onProgress();
      }
      return Promise.resolve();
    },
  });
  return {
    view,
    runs: () => runs,
    becomes: (what) => {
      next = what;
      news.tell();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

test('the chain is followed without being asked, and each new tip told once', async () => {
  const { view, becomes } = subject();
  await view.reached(never);
  const told: string[] = [];
  const stop = view.onTip(({ hash }) => told.push(hash));
  for (const tip of [
    { height: 2, hash: 'a' },
    { height: 2, hash: 'other branch' },
  ]) {
    becomes(tip);
    await settled();
    becomes(tip);
    await settled();
  }
  assert.deepEqual(told, ['a', 'other branch']);
  stop();
  becomes({ height: 3, hash: 'b' });
  await settled();
  assert.deepEqual([told.length, view.tip.hash], [2, 'b']);
  await view[Symbol.asyncDispose]();
});

test('the chain is reached when a run succeeds at last, and waiting for that can be given up', async () => {
  const { view, becomes } = subject(new Error('nobody answers'));
  const reached = view.reached(never);
  await assert.rejects(view.reached(AbortSignal.timeout(5)), { name: 'TimeoutError' });
  becomes({ height: 1, hash: 'a' });
  assert.deepEqual(await reached, { height: 1, hash: 'a' });
  await view[Symbol.asyncDispose]();
});

test('who needs the chain once looks for it, and is told why it cannot be had', async () => {
  const { view, runs, becomes } = subject(new Error('nobody answers'));
  await assert.rejects(view.syncOnce(never), /nobody answers/);
  const failed = runs();
  becomes({ height: 1, hash: 'a' });
  await view.syncOnce(never);
  assert.equal(view.tip.height, 1);
  const done = runs();
  assert.ok(done > failed);
  await view.syncOnce(never);
  assert.equal(runs(), done);
  await view[Symbol.asyncDispose]();
});

test('nothing is asked once the view is closed', async () => {
  const { view, runs, becomes } = subject();
  await view.reached(never);
  await view[Symbol.asyncDispose]();
  const before = runs();
  becomes({ height: 1, hash: 'a' });
  await settled();
  assert.equal(runs(), before);
});

test('news that comes before it is awaited is not lost', async () => {
  const news = new News();
  news.tell();
  await news.next(60_000, never);
  const stop = new AbortController();
  const waiting = news.next(60_000, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await news.next(1, never);
});
