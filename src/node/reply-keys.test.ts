import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { nextContent, testConsensus, testContent, testSeed } from '../../test/test-directory.ts';
import type { Consensus } from '../directory/consensus.ts';
import { loadPublicKey } from '../directory/public-key.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { replyKeysOf } from './reply-keys.ts';

const DAY = 86_400;
const START = 20_000 * DAY;
const [listed] = testContent().nodes;
assert.ok(listed);
const { nodeId } = listed;
const STRANGER = signingKeyFromSeed(testSeed('stranger')).publicKey;
const message = Uint8Array.of(1, 2, 3);

function keysAt(start: number, seed = testSeed('reply')) {
  const state = { nowSeconds: start, consensuses: [] as readonly Consensus[] };
  const keys = replyKeysOf({
    seed,
    nodeId,
    consensuses: () => state.consensuses,
    clock: () => state.nowSeconds * 1000,
  });
  return { state, keys };
}

/** A consensus, after the one before if there is one, in which the node has this reply key. */
function naming(replyKey: Uint8Array, previous?: Consensus): Consensus {
  const nodes = [{ ...listed, replyKey: loadPublicKey(replyKey) }] as unknown as Consensus['nodes'];
  return testConsensus(previous === undefined ? { nodes } : nextContent(previous, { nodes }));
}

const isBy = (key: Uint8Array, signature: Uint8Array): boolean =>
  loadPublicKey(key).verify(message, signature);

test('a key is announced for at most 30 days and at least 3, until the end of a day', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 * DAY }), (later) => {
      const { until } = keysAt(START + later).keys.announced();
      const days = (until - START - later) / DAY;
      assert.ok(days > 3 && days <= 30, `${days} days`);
      assert.equal(until % DAY, 0);
    }),
  );
});

test('the key changes every 27 days, and is the same after a restart', () => {
  const { state, keys } = keysAt(START);
  const seen = new Map<number, string>();
  for (let day = 0; day < 81; day += 1) {
    state.nowSeconds = START + day * DAY;
    const { key, until } = keys.announced();
    const again = keysAt(state.nowSeconds).keys.announced();
    assert.deepEqual(again.key.publicKey, key.publicKey);
    seen.set(until, String(key.publicKey));
  }
  assert.equal(new Set(seen.values()).size, seen.size);
  const [first = 0, second = 0, third = 0] = seen.keys();
  assert.deepEqual([second - first, third - second], [27 * DAY, 27 * DAY]);
  assert.notDeepEqual(
    keysAt(START, testSeed('other')).keys.announced().key.publicKey,
    keysAt(START).keys.announced().key.publicKey,
  );
});

test('what a client gets is signed with the key that its own consensus names', () => {
  const { state, keys } = keysAt(START);
  const before = keys.announced();
  state.nowSeconds = before.until - 3 * DAY;
  const after = keys.announced();
  assert.notEqual(after.until, before.until);

  const older = naming(before.key.publicKey);
  state.consensuses = [older];
  assert.ok(isBy(before.key.publicKey, keys.signer.sign(message)));

  const newer = naming(after.key.publicKey, older);
  state.consensuses = [newer, older];
  assert.ok(isBy(after.key.publicKey, keys.signer.sign(message)));
  assert.ok(isBy(after.key.publicKey, keys.signer.sign(message, newer.hash.subarray(0, 16))));
  assert.ok(isBy(before.key.publicKey, keys.signer.sign(message, older.hash.subarray(0, 16))));
  assert.ok(isBy(after.key.publicKey, keys.signer.sign(message, new Uint8Array(16))));
});

test('a node that no consensus names signs with the key that it announces', () => {
  const { state, keys } = keysAt(START);
  const { publicKey } = keys.announced().key;
  assert.ok(isBy(publicKey, keys.signer.sign(message)));
  state.consensuses = [naming(STRANGER)];
  assert.ok(isBy(publicKey, keys.signer.sign(message)));
});
