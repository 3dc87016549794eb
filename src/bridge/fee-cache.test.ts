import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { type FeeRate } from '../lookup/lookup.ts';
import { FeeCache } from './fee-cache.ts';

const RATES = [{ blocks: 2, satPerKvb: 5000 }];

interface Asked {
  readonly cache: FeeCache;
  asked: number;
  now: number;
}

function cacheOf(fees: () => Promise<readonly FeeRate[]>): Asked {
  const asked: Asked = {
    asked: 0,
    now: 1_000_000,
    cache: new FeeCache({
      lookup: {
        fees: () => {
          asked.asked += 1;
          return fees();
        },
      },
      clock: () => asked.now,
      log: silent,
    }),
  };
  return asked;
}

test('fees are asked for once a minute, whoever wants them how often', async () => {
  const fees = cacheOf(() => Promise.resolve(RATES));
  const wanted = await Promise.all(Array.from({ length: 20 }, () => fees.cache.rates()));
  assert.ok(wanted.every((rates) => rates === RATES));
  assert.equal(fees.asked, 1);
  fees.now += 59_999;
  await fees.cache.rates();
  assert.equal(fees.asked, 1);
  assert.equal(fees.cache.ageMs, 59_999);
  fees.now += 1;
  await fees.cache.rates();
  assert.equal(fees.asked, 2);
});

test('what is held is told while newer fees are on the way', async () => {
  let answer: Promise<readonly FeeRate[]> = Promise.resolve(RATES);
  const fees = cacheOf(() => answer);
  await fees.cache.rates();
  answer = new Promise(() => undefined);
  fees.now += 3_600_000;
  assert.equal(await fees.cache.rates(), RATES);
});

test('there are none while they cannot be had', async () => {
  let works = false;
  const fees = cacheOf(() => {
    if (works) return Promise.resolve(RATES);
    return Promise.reject(new LookupError('too-few-fee-answers', 'none', { culprit: NOBODY }));
  });
  assert.deepEqual(await fees.cache.rates(), []);
  assert.equal(fees.cache.ageMs, undefined);
  works = true;
  fees.now += 60_000;
  assert.equal(await fees.cache.rates(), RATES);
});

test('closing gives up the question that is under way', async () => {
  let signal: AbortSignal | undefined;
  const cache = new FeeCache({
    lookup: {
      fees: (options) => {
        ({ signal } = options);
        return new Promise((_, reject) => {
          options.signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
      },
    },
    clock: () => 0,
    log: silent,
  });
  cache.refresh();
  await cache[Symbol.asyncDispose]();
  assert.ok(signal?.aborted);
});
