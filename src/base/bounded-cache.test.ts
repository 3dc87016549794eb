import assert from 'node:assert/strict';
import { test } from 'vitest';
import { BoundedCache } from './bounded-cache.ts';

test('what was not used for longest goes first when the weight is passed', () => {
  const cache = new BoundedCache<string>(6, (value) => value.length);
  cache.set('a', 'aa');
  cache.set('b', 'bb');
  cache.set('c', 'cc');
  assert.equal(cache.get('a'), 'aa');
  cache.set('d', 'dd');
  assert.equal(cache.get('b'), undefined);
  assert.deepEqual([cache.get('a'), cache.get('c'), cache.get('d')], ['aa', 'cc', 'dd']);
});

test('a value that is replaced or deleted weighs nothing any more', () => {
  const cache = new BoundedCache<string>(4, (value) => value.length);
  cache.set('a', 'aaaa');
  cache.set('a', 'a');
  cache.set('b', 'bbb');
  assert.equal(cache.get('a'), 'a');
  cache.delete('b');
  cache.set('c', 'ccc');
  assert.equal(cache.get('a'), 'a');
});

test('a value heavier than everything allowed is not kept', () => {
  const cache = new BoundedCache<string>(3, (value) => value.length);
  cache.set('a', 'aaaa');
  assert.equal(cache.get('a'), undefined);
});
