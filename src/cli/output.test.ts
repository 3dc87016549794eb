import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DialError } from '../io/dial.ts';
import { InterruptedError } from './interrupt.ts';
import { describeError, formatTable } from './output.ts';

test('a table has columns of one width, numbers to the right, and no spaces at the end', () => {
  const rows = [
    ['node', 'cells', 'whose'],
    ['a', 7, 'none'],
    ['longer', 12_345, ''],
  ];
  assert.equal(
    formatTable(rows),
    ['node    cells  whose', 'a           7  none', 'longer  12345'].join('\n'),
  );
  assert.equal(formatTable([]), '');
});

test('what a person can mend is told with what to do', () => {
  assert.equal(describeError(new UserError('no tor')), 'no tor');
  assert.equal(describeError(new UserError('no tor', { hint: 'Start it.' })), 'no tor\nStart it.');
});

test('what others or the machine refuse is told without a trace', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  const errors = [new DirectoryError('expired', 'expired'), new DialError('no tor'), full];
  for (const error of errors) assert.equal(describeError(error), error.message);
  assert.equal(describeError(new InterruptedError()), 'interrupted');
});

test('a bug is shown with its place', () => {
  const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
  for (const error of [new TypeError('undefined'), missing]) {
    assert.match(describeError(error), /^this is a bug.*\n.*\n {4}at /);
  }
  assert.match(describeError('words'), /^this is a bug.*\nwords$/);
});
