import assert from 'node:assert/strict';
import { test } from 'vitest';
import { VirtualTime } from '../../test/virtual-time.ts';
import { silent } from '../base/log.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { pollPeers } from './poll-peers.ts';

const source = (name: string): DirectorySource => ({
  name,
  fetch: () => Promise.resolve(new Uint8Array()),
});
const peers = ['first', 'second'].map(source);
const stalled = new Promise<never>(() => undefined);

/** Polls every 10 ms until 100 ms have passed. */
async function poll(ask: Parameters<typeof pollPeers>[1]): Promise<number> {
  const virtual = new VirtualTime(0);
  const time = virtual.shifted(0);
  const { signal } = new AbortController();
  let endedMs = -1;
  const polling = { peers, time, log: silent, untilMs: 100, everyMs: 10, signal };
  const done = pollPeers(polling, ask).then(() => {
    endedMs = virtual.nowMs;
  });
  await virtual.runUntil(1000);
  await done;
  return endedMs;
}

test('each peer is asked again until the time is over', async () => {
  const asked: string[] = [];
  const endedMs = await poll(({ name }) => {
    asked.push(name);
    return Promise.resolve('again');
  });
  assert.equal(asked.length, 20);
  assert.equal(endedMs, 100);
});

test('one that fails or stalls is asked again, and keeps nobody else waiting', async () => {
  let failures = 0;
  let stalls = 0;
  const endedMs = await poll(({ name }) => {
    if (name === 'second') {
      stalls += 1;
      return stalls < 2 ? stalled : Promise.resolve('peer-done');
    }
    failures += 1;
    return failures < 3 ? Promise.reject(new Error('down')) : Promise.resolve('peer-done');
  });
  assert.equal(failures, 3);
  assert.equal(stalls, 2);
  assert.equal(endedMs, 50);
});

test('when one peer settles it, nobody is waited for', async () => {
  const endedMs = await poll(({ name }) =>
    name === 'first' ? Promise.resolve('all-done') : stalled,
  );
  assert.equal(endedMs, 0);
});
