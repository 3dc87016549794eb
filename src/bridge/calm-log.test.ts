import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { calmLog } from './calm-log.ts';

test('a message comes once a minute, and then says how often it was kept back', () => {
  let now = 0;
  const lines: unknown[] = [];
  const warn = (...line: unknown[]): void => void lines.push(line);
  const log = calmLog({ ...silent, warn }, () => now);
  for (let time = 0; time < 10; time += 1) log.warn('refused');
  log.warn('refused', { reason: 'another' });
  log.info('refused');
  now = 60_000;
  log.warn('refused');
  log.warn('refused');
  assert.deepEqual(lines, [
    ['refused', {}],
    ['refused', { reason: 'another' }],
    ['refused', { moreBefore: 9 }],
  ]);
});
