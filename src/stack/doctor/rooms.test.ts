import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ServiceState } from '../backend.ts';
import { judgeRoom } from './disk-room.ts';
import { judgeServices } from './services-check.ts';

test('room on the disk is judged by what the network needs', () => {
  const verdict = (megabytes: number, isMainnet: boolean): string =>
    judgeRoom({ path: '/data', megabytes }, isMainnet).verdict;
  assert.equal(verdict(999, false), 'fail');
  assert.equal(verdict(2_000, false), 'warn');
  assert.equal(verdict(5_000, false), 'ok');
  assert.equal(verdict(5_000, true), 'warn');
  assert.equal(verdict(50_000, true), 'ok');
});

const RUNS: ServiceState = { service: 'tor', state: 'running', restarts: 0 };

test('services that do not run are named, with how they ended', () => {
  assert.equal(judgeServices([RUNS, { ...RUNS, service: 'node' }]).verdict, 'ok');
  const gone = { service: 'node', state: 'restarting', restarts: 9, lastExit: 'code 1' } as const;
  assert.deepEqual(judgeServices([RUNS, gone]), {
    verdict: 'fail',
    found: 'node ends again and again (code 1)',
    todo: 'See why: sotto logs node',
  });
  const none = { service: 'tor', state: 'missing', restarts: 0 } as const;
  assert.equal(judgeServices([none]).todo, 'Start them: sotto up');
});

test('a service that runs and has often ended is a warning', () => {
  assert.equal(judgeServices([{ ...RUNS, restarts: 7 }]).verdict, 'warn');
});
