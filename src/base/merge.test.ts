import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { merge } from './merge.ts';

async function* every(ms: number, words: readonly string[]): AsyncGenerator<string> {
  for (const word of words) {
    await sleep(ms);
    yield word;
  }
}

test('values come as their sources give them, all of them', async () => {
  const words: string[] = [];
  for await (const word of merge([every(20, ['b', 'd']), every(1, ['a']), every(1, [])])) {
    words.push(word);
  }
  assert.deepEqual(words, ['a', 'b', 'd']);
});

test('a source that fails ends the whole', async () => {
  async function* failing(): AsyncGenerator<string> {
    await sleep(1);
    yield 'a';
    throw new Error('broken');
  }
  const merged = merge([failing(), every(10_000, ['never'])]);
  assert.deepEqual(await merged.next(), { done: false, value: 'a' });
  await assert.rejects(merged.next(), /broken/);
});

test('a source is not asked for more than was taken', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<number> {
    for (;;) {
      await sleep(0);
      yield given++;
    }
  }
  for await (const value of merge([endless()])) {
    await sleep(20);
    if (value === 2) break;
  }
  assert.equal(given, 3);
});
