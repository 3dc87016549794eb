import assert from 'node:assert/strict';
import { test } from 'vitest';
import { renderEnvironment } from './environment.ts';

test('what compose could take for its own stands in single quotes', () => {
  assert.equal(
    renderEnvironment({ A: '/mnt/disk', B: '/mnt/my disk', C: 'a $B #c "d"', D: '' }),
    "A=/mnt/disk\nB='/mnt/my disk'\nC='a $B #c \"d\"'\nD=\n",
  );
});

test('what no quotes can hold is refused', () => {
  for (const value of ["it's", 'a\nB=c', 'a\0']) {
    assert.throws(() => renderEnvironment({ A: value }), RangeError);
  }
});
