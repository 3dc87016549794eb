import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'vitest';
import {
  TEST_TIME,
  testDescriptor,
  testDescriptorNote,
  testKeyConfig,
} from '../../test/test-directory.ts';
import { testSlot } from '../../test/test-votes.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { type DescriptorStatement } from '../directory/descriptor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { slotAt, slotOf, USUAL_TIMELINE } from '../directory/timeline.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../io/temporary-directory.ts';
import { type AdmitOptions, HeldNodes, type Standing } from './held-nodes.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const NOW = TEST_TIME * 1000;
const slot = testSlot(5);
const making = { genesis: GENESIS, slotAt: (at: number) => slotAt(at, USUAL_TIMELINE, 5) };
/** Nobody has a bond, and all are at their onions. */
const standing: Standing = { stakesOf: (all) => all.map(() => 0), isThere: () => true };
const now = { now: NOW, consensus: undefined, standing };

const open = ({ path }: TemporaryDirectory, at = NOW): Promise<HeldNodes> =>
  HeldNodes.open({ ...making, directory: path, now: at });
const note = (name: string, changes: Partial<DescriptorStatement> = {}): Uint8Array =>
  utf8(testDescriptorNote(name, changes));
const publishedAt = (published: number): Uint8Array => note('a', { published });
const leaving = (published: number): Uint8Array => note('a', { published, expires: published + 1 });
const listed = (nodes: HeldNodes): readonly number[] =>
  nodes.listable(slot, undefined).map(({ published }) => published);

function refusedAs(code: string): (error: unknown) => boolean {
  return (error) => error instanceof DirectoryError && error.code === code;
}

test('nodes that were admitted are listed in order, after a restart too', async () => {
  await using directory = await makeTemporaryDirectory();
  const first = await open(directory);
  for (const name of ['a', 'b', 'c']) await first.admit(note(name), now);
  for (const nodes of [first, await open(directory)]) {
    const ids = nodes.listable(slot, undefined).map(({ nodeId }) => nodeId);
    assert.equal(ids.length, 3);
    assert.deepEqual(ids, ids.toSorted());
    const { digest } = testDescriptor('b');
    assert.equal(nodes.get(digest)?.nodeId, testDescriptor('b').nodeId);
    assert.equal(fromUtf8(nodes.noteOf(digest) ?? new Uint8Array()), testDescriptorNote('b'));
  }
});

test('a descriptor that came too late for the slot waits, and the one before is listed', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  await nodes.admit(publishedAt(slot.publishedUntil), now);
  await nodes.admit(publishedAt(slot.publishedUntil + 1), now);
  assert.deepEqual(listed(nodes), [slot.publishedUntil]);
});

test('one that publishes all the time keeps the listed version and the newest', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  const times = Array.from({ length: 6 }, (_, index) => slot.publishedUntil + index);
  for (const published of times) await nodes.admit(publishedAt(published), now);
  assert.deepEqual(listed(nodes), [slot.publishedUntil]);
  assert.equal(nodes.newest(testDescriptor('a').nodeId)?.published, times.at(-1));
  assert.equal((await readdir(directory.path)).length, 2);
});

test('what was voted for is shown until the next vote, whatever its node brings by then', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  await nodes.admit(publishedAt(slot.publishedUntil - 2), now);
  const [voted] = nodes.listable(slot, undefined);
  assert.ok(voted !== undefined);
  nodes.showVoted([voted]);
  for (const published of [slot.publishedUntil - 1, TEST_TIME - 60, TEST_TIME]) {
    await nodes.admit(publishedAt(published), now);
  }
  assert.equal(nodes.get(voted.digest)?.published, voted.published);
  assert.deepEqual(nodes.noteOf(voted.digest), publishedAt(voted.published));
  nodes.showVoted(nodes.listable(slot, undefined));
  assert.equal(nodes.get(voted.digest), undefined);
});

test('what was voted for is shown though its node has lost its place', async () => {
  await using directory = await makeTemporaryDirectory();
  const { path } = directory;
  const nodes = await HeldNodes.open({ ...making, directory: path, now: NOW, most: 1 });
  await nodes.admit(note('a'), now);
  nodes.showVoted(nodes.listable(slot, undefined));
  await nodes.admit(note('b'), { ...now, standing: { ...standing, isThere: () => false } });
  assert.equal(nodes.newest(testDescriptor('a').nodeId), undefined);
  assert.deepEqual(nodes.noteOf(testDescriptor('a').digest), note('a'));
});

test.each([1, 2, 5, 12])(
  'after %i descriptors six hours apart, one that comes too late for the slot leaves the last listed',
  async (count) => {
    await using directory = await makeTemporaryDirectory();
    const nodes = await open(directory);
    const first = TEST_TIME - count * 6 * 3600;
    const bring = (published: number): Promise<unknown> => {
      const epoch = Math.floor(published / 86_400);
      const keyConfigs = [epoch, epoch + 1].map((each) => ({
        epoch: each,
        keyConfig: testKeyConfig('a', each),
      })) as unknown as DescriptorStatement['keyConfigs'];
      const statement = { published, expires: published + 86_400, keyConfigs };
      return nodes.admit(note('a', statement), { ...now, now: published * 1000 });
    };
    for (let index = 0; index < count; index++) await bring(first + index * 6 * 3600 + 10);
    await bring(TEST_TIME - 900);
    assert.deepEqual(listed(nodes), [TEST_TIME - 6 * 3600 + 10]);
    const next = slotOf(slot.epoch + 1, USUAL_TIMELINE, 5);
    assert.equal(nodes.listable(next, undefined)[0]?.published, TEST_TIME - 900);
  },
);

test('a node that has left is not listed, and is not brought back after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const before = await open(directory);
  await before.admit(publishedAt(TEST_TIME - 7200), now);
  await before.admit(leaving(TEST_TIME - 60), now);
  const nodes = await open(directory);
  for (const each of [before, nodes]) {
    assert.deepEqual(listed(each), []);
    assert.equal(each.newest(testDescriptor('a').nodeId), undefined);
    await assert.rejects(each.admit(publishedAt(TEST_TIME - 7200), now), refusedAs('replayed'));
    await assert.rejects(each.admit(publishedAt(TEST_TIME - 61), now), refusedAs('replayed'));
  }
});

test('what has expired for sure is forgotten, with its place, on disk too', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  const published = TEST_TIME - 3600;
  await nodes.admit(publishedAt(published), now);
  await nodes.put(testDescriptor('b'), note('b'));
  const end = (published + 48 * 3600) * 1000;
  await nodes.forget(end - 1);
  assert.equal(nodes.size, 1);
  await nodes.forget(end);
  assert.equal(nodes.size, 0);
  assert.equal(nodes.get(testDescriptor('b').digest), undefined);
  assert.deepEqual(await readdir(directory.path), []);
});

test('when all places are taken one that is not there makes room, then one that left, and then nobody', async () => {
  await using directory = await makeTemporaryDirectory();
  const { path } = directory;
  const nodes = await HeldNodes.open({ ...making, directory: path, now: NOW, most: 3 });
  const ids = (...names: readonly string[]) => names.map((name) => testDescriptor(name).nodeId);
  const here = (): readonly string[] => nodes.all().map(({ nodeId }) => nodeId);
  for (const name of ['a', 'b', 'c']) await nodes.admit(note(name), now);
  await nodes.admit(leaving(TEST_TIME - 60), now);
  const goes = { ...now, standing: { ...standing, isThere: () => false } };
  await assert.rejects(nodes.admit(utf8('noise'), goes), refusedAs('malformed'));
  await nodes.admit(note('d'), goes);
  assert.deepEqual(here(), ids('c', 'd'));
  await assert.rejects(nodes.admit(publishedAt(TEST_TIME - 61), goes), refusedAs('replayed'));
  await nodes.admit(note('e'), now);
  assert.deepEqual(here(), ids('c', 'd', 'e'));
  await assert.rejects(nodes.admit(note('f'), now), refusedAs('full'));
  await nodes.admit(note('c', { published: TEST_TIME - 60 }), now);
  const again = await HeldNodes.open({ ...making, directory: path, now: NOW });
  assert.deepEqual(new Set(again.all().map(({ nodeId }) => nodeId)), new Set(here()));
});

test('in a full table a larger bond takes the place of the smallest, of the last that came of them', async () => {
  await using directory = await makeTemporaryDirectory();
  const { path } = directory;
  const nodes = await HeldNodes.open({ ...making, directory: path, now: NOW, most: 3 });
  const sats = new Map<string, number>();
  const bonded: AdmitOptions = {
    ...now,
    standing: {
      stakesOf: (all) => all.map(({ nodeId }) => sats.get(nodeId) ?? 0),
      isThere: () => true,
    },
  };
  const come = (name: string, stake: number): Promise<unknown> => {
    sats.set(testDescriptor(name).nodeId, stake);
    return nodes.admit(note(name), bonded);
  };
  const here = (): readonly number[] => nodes.all().map(({ nodeId }) => sats.get(nodeId) ?? 0);
  for (const [name, stake] of [
    ['a', 5],
    ['b', 0],
    ['c', 0],
  ] as const)
    await come(name, stake);
  await assert.rejects(come('d', 0), refusedAs('full'));
  await come('e', 7);
  assert.ok(nodes.newest(testDescriptor('b').nodeId));
  assert.deepEqual(here(), [5, 0, 7]);
  await come('f', 1);
  assert.deepEqual(here(), [5, 7, 1]);
  await assert.rejects(come('g', 1), refusedAs('full'));
  await come('h', 6);
  assert.deepEqual(here(), [5, 7, 6]);
});

test('what only others have admitted is shown, and not listed', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  await nodes.put(testDescriptor('b'), note('b'));
  assert.deepEqual(nodes.noteOf(testDescriptor('b').digest), note('b'));
  assert.deepEqual(listed(nodes), []);
  await nodes.admit(note('b'), now);
  assert.equal(nodes.listable(slot, undefined).length, 1);
});

test('of two descriptors that come at once the older does not pass the newer', async () => {
  await using directory = await makeTemporaryDirectory();
  const nodes = await open(directory);
  const came = await Promise.allSettled(
    [TEST_TIME - 60, TEST_TIME - 120, TEST_TIME - 60].map((published) =>
      nodes.admit(publishedAt(published), now),
    ),
  );
  assert.deepEqual(
    came.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal((await readdir(directory.path)).length, 1);
});
