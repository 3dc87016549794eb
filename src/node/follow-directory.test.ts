import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
  testPolicy,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { applyChange } from '../directory/consensus-change.ts';
import type { Consensus } from '../directory/consensus.ts';
import type { DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { fingerprintOf } from '../directory/policy-link.ts';
import { renderPolicy } from '../directory/policy.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { waitUntil } from '../io/wait-until.ts';
import { followDirectory } from './follow-directory.ts';

const AUTHORITIES = testAuthorities(3);
const NO_DIGEST = new Uint8Array(32);
const first = testConsensus();
/** A consensus a second: fresh for one, valid for an hour. */
const short = (previous: Consensus): Consensus =>
  testConsensus(
    nextContent(previous, {
      validAfter: previous.validAfter + 1,
      freshUntil: previous.validAfter + 2,
      validUntil: previous.validAfter + 3600,
    }),
  );
const second = short(first);
const third = short(second);
const noteOf = (consensus: Consensus): Uint8Array => utf8(signedBy(consensus, AUTHORITIES));

function network() {
  const state = {
    held: [] as readonly Consensus[],
    nowSeconds: first.validAfter,
    asked: 0,
    toldOf: undefined as number | undefined,
  };
  const source: DirectorySource = {
    name: 'authority',
    fetch: (kind, digest) => {
      state.asked += 1;
      const found =
        kind === DIRECTORY_KINDS.latestConsensus
          ? state.held.at(-1)
          : state.held.find(({ hash }) => toHex(hash) === toHex(digest));
      return found === undefined
        ? Promise.reject(new Error('away'))
        : Promise.resolve(noteOf(found));
    },
  };
  const followIn = (dataDirectory: string) =>
    followDirectory({
      dataDirectory,
      policy: testPolicy(AUTHORITIES),
      sources: (consensus) => {
        state.toldOf = consensus?.epoch;
        return [source];
      },
      clock: () => state.nowSeconds * 1000,
      log: silent,
      startMs: 1,
    });
  return { state, followIn };
}

async function until(isSo: () => boolean): Promise<void> {
  await waitUntil(() => isSo() || undefined, {
    what: 'the directory to be followed',
    timeoutMs: 4000,
    intervalMs: 5,
    signal: AbortSignal.timeout(4500),
  });
}

test('what was fetched is served, by name and by hash, and after a restart without anybody', async () => {
  await using temporary = await makeTemporaryDirectory();
  const { state, followIn } = network();
  state.held = [first];
  {
    await using directory = await followIn(temporary.path);
    assert.equal(directory.current(), undefined);
    assert.equal(directory.noteOf(DIRECTORY_KINDS.latestConsensus, NO_DIGEST), undefined);
    await until(() => directory.current() !== undefined);
    assert.deepEqual(directory.noteOf(DIRECTORY_KINDS.latestConsensus, NO_DIGEST), noteOf(first));
  }
  state.held = [];
  await using restarted = await followIn(temporary.path);
  const served = restarted.noteOf(DIRECTORY_KINDS.consensus, first.hash) ?? NO_DIGEST;
  assert.deepEqual(Uint8Array.from(served), noteOf(first));
  state.nowSeconds = first.validUntil;
  assert.equal(restarted.current(), undefined);
  await until(() => state.toldOf === first.epoch);
  assert.equal(restarted.noteOf(DIRECTORY_KINDS.latestConsensus, NO_DIGEST), undefined);
});

test('what changed since a consensus that is kept, and the policy, are served to those who know them', async () => {
  await using temporary = await makeTemporaryDirectory();
  const { state, followIn } = network();
  state.held = [second];
  state.nowSeconds = second.validAfter;
  await using directory = await followIn(temporary.path);
  await until(() => directory.current()?.epoch === second.epoch);
  state.held = [second, third];
  state.nowSeconds = third.validAfter;
  await until(() => directory.current()?.epoch === third.epoch);
  const change = directory.noteOf(DIRECTORY_KINDS.change, second.hash);
  assert.ok(change);
  assert.equal(applyChange(second, change), fromUtf8(noteOf(third)));
  assert.equal(directory.noteOf(DIRECTORY_KINDS.change, first.hash), undefined);
  const policy = testPolicy(AUTHORITIES);
  const served = directory.noteOf(DIRECTORY_KINDS.policy, fingerprintOf(policy));
  assert.equal(fromUtf8(served ?? NO_DIGEST), renderPolicy(policy));
  assert.equal(directory.noteOf(DIRECTORY_KINDS.policy, NO_DIGEST), undefined);
});

test('a newer one is asked for when the current one is not fresh any more, with what was missed', async () => {
  await using temporary = await makeTemporaryDirectory();
  const { state, followIn } = network();
  state.held = [second];
  state.nowSeconds = second.validAfter;
  {
    await using directory = await followIn(temporary.path);
    await until(() => directory.current()?.epoch === second.epoch);
    const fourth = short(third);
    state.held = [second, third, fourth];
    state.nowSeconds = fourth.validAfter;
    await until(() => directory.current()?.epoch === fourth.epoch);
    assert.ok(directory.noteOf(DIRECTORY_KINDS.consensus, third.hash));
    assert.deepEqual(
      directory.consensuses().map(({ epoch }) => epoch),
      [fourth.epoch, third.epoch],
    );
  }
  const { asked } = state;
  await using fresh = await followIn(temporary.path);
  assert.ok(fresh.current());
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(state.asked, asked);
});

test('while the authorities make none, the node goes on with what it has, and asks less and less', async () => {
  await using temporary = await makeTemporaryDirectory();
  const { state, followIn } = network();
  state.held = [second];
  state.nowSeconds = second.validAfter;
  await using directory = await followIn(temporary.path);
  await until(() => directory.current() !== undefined);
  state.nowSeconds = second.freshUntil + 100;
  const before = state.asked;
  await until(() => state.asked > before + 2);
  const soon = state.asked;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(state.asked - soon <= 16, `${state.asked - soon} times`);
  assert.equal(directory.current()?.epoch, second.epoch);
  state.held = [second, third];
  await until(() => directory.current()?.epoch === third.epoch);
});

test('with evidence of a fork a node goes by no consensus, and waits though the one held is fresh', async () => {
  await using temporary = await makeTemporaryDirectory();
  const { state, followIn } = network();
  state.held = [second];
  state.nowSeconds = second.validAfter;
  {
    await using directory = await followIn(temporary.path);
    await until(() => directory.current() !== undefined);
    const { validAfter, freshUntil, validUntil } = second;
    const params = new Map([['mix-ms', 7]]);
    const other = nextContent(first, { validAfter, freshUntil, validUntil, params });
    state.held = [second, testConsensus(other)];
    state.nowSeconds = second.freshUntil;
    await until(() => directory.current() === undefined);
  }
  state.nowSeconds = second.validAfter;
  await using restarted = await followIn(temporary.path);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(restarted.current(), undefined);
});

test('the descriptor of the node is served', async () => {
  await using temporary = await makeTemporaryDirectory();
  await using directory = await network().followIn(temporary.path);
  directory.addDescriptor(first.hash, Uint8Array.of(1));
  const { descriptor, voteIndex } = DIRECTORY_KINDS;
  assert.deepEqual(directory.noteOf(descriptor, first.hash), Uint8Array.of(1));
  assert.equal(directory.noteOf(voteIndex, first.hash), undefined);
});
