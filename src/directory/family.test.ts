import assert from 'node:assert/strict';
import { test } from 'vitest';
import { familiesOf } from './family.ts';

const id = (letter: string): string => letter.repeat(32);
const node = (letter: string, ...family: string[]) => ({
  nodeId: id(letter),
  family: family.map(id),
});

test('nodes that name each other are one family, named by its smallest id', () => {
  const families = familiesOf([node('c', 'a'), node('a', 'b', 'c'), node('b', 'a'), node('d')]);
  assert.deepEqual([...families].sort(), [
    [id('a'), id('a')],
    [id('b'), id('a')],
    [id('c'), id('a')],
    [id('d'), id('d')],
  ]);
});

test('a node that only one side names is no family, and nor is one that is not listed', () => {
  const families = familiesOf([node('a', 'b', 'f'), node('b')]);
  assert.equal(families.get(id('b')), id('b'));
  assert.equal(families.get(id('a')), id('a'));
});
