import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import type { Probe } from './look.ts';
import type { Observations } from './observations.ts';
import { lookOnce, watchProbes } from './watch-probes.ts';

const signal = new AbortController().signal;

function room(look: () => Promise<number>, change: Partial<Probe> = {}): Probe {
  return { of: 'freeMegabytes', timeoutMs: 50, pauseMs: 0, look, ...change };
}

const relay: Probe = {
  of: 'relayOnion',
  timeoutMs: 50,
  pauseMs: 10,
  look: () => Promise.resolve(true),
};

/** The first of what is known that will do. */
async function until(
  probes: readonly Probe[],
  willDo: (seen: Observations) => boolean,
): Promise<Observations> {
  for await (const seen of watchProbes(probes, { signal: AbortSignal.timeout(5000) })) {
    if (willDo(seen)) return seen;
  }
  throw new Error('never seen');
}

test('what one probe cannot learn is said, and stops no other', async () => {
  const broken = room(() => Promise.reject(new Error('no disk\nwith more to it')));
  const seen = await lookOnce([broken, relay], { signal });
  assert.deepEqual(seen, { freeMegabytes: { failure: 'no disk' }, relayOnion: { value: true } });
});

test('a probe that hangs is given up when its time is over', async () => {
  const seen = await lookOnce([room(() => new Promise(() => undefined)), relay], { signal });
  assert.deepEqual(seen.freeMegabytes, { failure: 'no answer within 0 s' });
  assert.deepEqual(seen.relayOnion, { value: true });
});

test('a probe is told when its time is over', async () => {
  let isTold = false;
  await lookOnce(
    [
      room(() => Promise.resolve(1), {
        look: async (context) => {
          context.signal.addEventListener('abort', () => (isTold = true));
          return await new Promise<number>(() => undefined);
        },
      }),
    ],
    { signal },
  );
  assert.ok(isTold);
});

test('a probe never looks while it still looks, also when it was given up', async () => {
  let running = 0;
  let most = 0;
  let looks = 0;
  const slow = room(
    async () => {
      most = Math.max(most, ++running);
      await sleep(40);
      running--;
      return ++looks;
    },
    { timeoutMs: 10 },
  );
  await until([slow], () => looks >= 3);
  assert.equal(most, 1);
});

test('what is not due is not looked at, and is forgotten when it no longer is', async () => {
  let isOpen = false;
  let looks = 0;
  const gated: Probe = {
    ...relay,
    isDue: () => isOpen,
    look: () => {
      looks += 1;
      return Promise.resolve(true);
    },
  };
  const free = room(() => Promise.resolve(1));
  await until([gated, free], ({ freeMegabytes }) => freeMegabytes !== undefined);
  assert.equal(looks, 0);
  isOpen = true;
  let wasKnown = false;
  await until([gated], ({ relayOnion }) => {
    if (relayOnion !== undefined) wasKnown = true;
    if (wasKnown) isOpen = false;
    return wasKnown && relayOnion === undefined;
  });
});

test('looking once looks at what became due by what was seen', async () => {
  const free = room(() => Promise.resolve(7));
  const after: Probe = { ...relay, isDue: (seen) => seen.freeMegabytes !== undefined };
  const never: Probe = { ...relay, of: 'listed', isDue: () => false };
  assert.deepEqual(await lookOnce([after, never, free], { signal }), {
    freeMegabytes: { value: 7 },
    relayOnion: { value: true },
  });
});

test('who stops watching leaves nothing behind that looks', async () => {
  let looks = 0;
  const free = room(() => Promise.resolve(++looks), { pauseMs: 1 });
  await until([free], () => looks > 2);
  const before = looks;
  await sleep(30);
  assert.equal(looks, before);
});

test('a watch that is interrupted ends', async () => {
  const stop = new AbortController();
  for await (const seen of watchProbes([relay], { signal: stop.signal })) {
    if (seen.relayOnion !== undefined) stop.abort();
  }
  await assert.rejects(lookOnce([relay], { signal: stop.signal }), { name: 'AbortError' });
});
