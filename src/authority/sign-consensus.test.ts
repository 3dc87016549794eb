import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SimulatedAuthorities, type SimulatedAuthority } from '../../test/simulated-authorities.ts';
import { testVote } from '../../test/test-votes.ts';
import { DIRECTORY_KINDS, epochDigest } from '../directory/directory-view.ts';
import { type Vote } from '../directory/vote.ts';
import { signConsensus } from './sign-consensus.ts';

const { signal } = new AbortController();

/** An authority that does nothing by itself, and the votes of all. */
async function idle(): Promise<{
  network: SimulatedAuthorities;
  authority: SimulatedAuthority;
  votes: readonly Vote[];
}> {
  const network = new SimulatedAuthorities(5);
  const [authority] = network.all;
  assert.ok(authority !== undefined);
  await authority.start();
  const votes = network.all.map(({ key }) => testVote(key, { nodes: [] }));
  return { network, authority, votes };
}

test('a text that is on record is signed again, whatever the votes are now', async () => {
  const { network, authority, votes } = await idle();
  const slot = network.slot(0);
  const signed = await signing(network, signConsensus({ slot, votes, signal }, authority.parts));
  assert.ok('text' in signed);
  const others = network.all.map(({ key }) =>
    testVote(key, { nodes: [], params: new Map([['mix-ms', 1]]) }),
  );
  const again = await signing(
    network,
    signConsensus({ slot, votes: others, signal }, authority.parts),
  );
  assert.ok('text' in again);
  assert.equal(again.text, signed.text);
});

test('nothing is signed for an epoch before the one on record', async () => {
  const { network, authority, votes } = await idle();
  await signing(network, signConsensus({ slot: network.slot(0), votes, signal }, authority.parts));
  const earlier = signConsensus({ slot: network.slot(-1), votes, signal }, authority.parts);
  assert.deepEqual(await signing(network, earlier), { failure: 'clock-went-back' });
});

test('what is on record only when the slot has ended is not shown', async () => {
  const { network, authority, votes } = await idle();
  const slot = network.slot(0);
  authority.store.onDisk = () => network.time.sleepUntil(slot.endsMs, signal);
  const late = signConsensus({ slot, votes, signal }, authority.parts);
  await network.time.runUntil(slot.endsMs);
  assert.deepEqual(await late, { failure: 'out-of-time' });
  const { shown } = authority.parts;
  assert.equal(shown.noteOf(DIRECTORY_KINDS.signature, epochDigest(slot.epoch)), undefined);
});

/** Lets the disk have the time it takes. */
async function signing<T>(network: SimulatedAuthorities, work: Promise<T>): Promise<T> {
  await network.time.runUntil(network.time.nowMs + 10_000);
  return work;
}
