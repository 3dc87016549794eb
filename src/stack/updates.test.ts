import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { DialError } from '../io/dial.ts';
import { loadPins } from './pins.ts';
import { checkUpdates, requireAnswer } from './updates.ts';

const signal = new AbortController().signal;

test('a project that does not answer holds up none of the others', async () => {
  const found = await checkUpdates({
    pins: await loadPins(),
    torVersion: '0.4.9.11',
    signal,
    get: (url) => {
      const answer = (location?: string, body = ''): Promise<never> =>
        Promise.resolve({ status: location ? 302 : 200, location, body } as never);
      if (url.includes('bitcoin/bitcoin')) {
        return answer('https://github.com/bitcoin/bitcoin/releases/tag/v31.2');
      }
      if (url.includes('romanz'))
        return answer('https://github.com/romanz/electrs/releases/tag/v0.11.1');
      if (url.includes('debian'))
        return answer(undefined, ' tor | 0.4.9.15-0 | trixie-security | amd64');
      return Promise.reject(new DialError('no answer from there'));
    },
  });
  const brief = Object.fromEntries(
    found.map(({ name, newest, isNewer, problem }) => [name, [newest, isNewer, problem]]),
  );
  assert.deepEqual(brief, {
    bitcoind: ['31.2', true, undefined],
    electrs: ['0.11.1', false, undefined],
    tor: ['0.4.9.15', true, undefined],
    fulcrum: [undefined, false, 'no answer from there'],
    node: [undefined, false, 'no answer from there'],
  });
  requireAnswer(found);
});

test('when nobody answers, that is said, and not taken for good news', async () => {
  const found = await checkUpdates({
    pins: await loadPins(),
    torVersion: '0.4.9.11',
    signal,
    get: () => Promise.reject(new DialError('tor has no way out')),
  });
  assert.throws(() => {
    requireAnswer(found);
  }, UserError);
});
