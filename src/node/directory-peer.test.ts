import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fakeAuthority } from '../../test/fake-authority.ts';
import { utf8 } from '../base/bytes.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import type { Dial } from '../io/dial.ts';
import { PUT_KINDS, type Taken } from '../relay/frame-payload.ts';
import type { Put } from '../relay/put-parts.ts';
import { directoryPeer } from './directory-peer.ts';

const NEVER = new AbortController().signal;
const onion = { host: `${'a'.repeat(55)}d.onion`, port: 50_010 };
const NOTE = utf8('a note\n');

const REFUSED: Taken = { verdict: 'refused', text: 'replayed: a newer one is held' };

/** An authority that holds one note and refuses all that is brought. */
function subject() {
  const brought: Put[] = [];
  const authority = fakeAuthority({
    noteOf: () => NOTE,
    take: (put) => {
      brought.push(put);
      return REFUSED;
    },
  });
  const { dial } = authority;
  const peer = directoryPeer({ name: 'a', onion }, { dial, network: 'regtest', clock: Date.now });
  return { peer, brought, authority };
}

test('a document is fetched over a link of its own, which is closed', async () => {
  const { peer, authority } = subject();
  const note = await peer.fetch(DIRECTORY_KINDS.latestConsensus, new Uint8Array(32), NEVER);
  assert.deepEqual(note, NOTE);
  assert.deepEqual(authority.dialled, [`${onion.host}:50010 directory ${onion.host}`]);
  await authority.ended();
});

test('many documents are fetched over one link, which is closed in the end', async () => {
  const { peer, authority } = subject();
  {
    await using linked = peer.linked();
    assert.deepEqual(authority.dialled, []);
    const fetch = () => linked.fetch(DIRECTORY_KINDS.latestConsensus, new Uint8Array(32), NEVER);
    assert.deepEqual(await Promise.all([fetch(), fetch()]), [NOTE, NOTE]);
    assert.deepEqual(await fetch(), NOTE);
    assert.equal(authority.dialled.length, 1);
  }
  await authority.ended();
});

test('a link that could not be opened is tried again with the next question', async () => {
  const { authority } = subject();
  let dials = 0;
  const dial: Dial = (...to) => {
    dials += 1;
    return dials === 1 ? Promise.reject(new Error('cannot reach it')) : authority.dial(...to);
  };
  const peer = directoryPeer({ name: 'a', onion }, { dial, network: 'regtest', clock: Date.now });
  await using linked = peer.linked();
  const fetch = () => linked.fetch(DIRECTORY_KINDS.latestConsensus, new Uint8Array(32), NEVER);
  await assert.rejects(fetch(), { message: 'cannot reach it' });
  assert.deepEqual(await fetch(), NOTE);
});

test('what is brought arrives whole, and the verdict comes back', async () => {
  const { peer, authority, brought } = subject();
  const descriptor = new Uint8Array(8000).fill(7);
  const taken = await peer.put(PUT_KINDS.descriptor, descriptor, NEVER);
  assert.deepEqual(taken, REFUSED);
  assert.deepEqual(
    brought.map(({ bytes }) => Uint8Array.from(bytes)),
    [descriptor],
  );
  await authority.ended();
});

test('a peer that cannot be dialled is told as such', async () => {
  const dial: Dial = () => Promise.reject(new Error('cannot reach it'));
  const peer = directoryPeer({ name: 'a', onion }, { dial, network: 'regtest', clock: Date.now });
  await assert.rejects(peer.put(PUT_KINDS.descriptor, NOTE, NEVER), { message: 'cannot reach it' });
});
