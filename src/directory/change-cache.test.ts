import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { ChangeCache } from './change-cache.ts';
import { applyChange } from './consensus-change.ts';
import type { Consensus } from './consensus.ts';

const first = testConsensus();
const second = testConsensus(nextContent(first));
const noteOf = (consensus: Consensus): Uint8Array => utf8(signedBy(consensus, testAuthorities(3)));

test('a change is made once, and leads to the note that is held', () => {
  const held = new Map([first, second].map((each) => [toHex(each.hash), noteOf(each)]));
  const changes = new ChangeCache((hash) => held.get(toHex(hash)));
  const change = changes.between(first.hash, second.hash);
  assert.ok(change);
  assert.equal(applyChange(first, change), fromUtf8(noteOf(second)));
  assert.equal(changes.between(first.hash, second.hash), change);
});

test('there is none of a consensus that is not held', () => {
  const changes = new ChangeCache((hash) =>
    toHex(hash) === toHex(second.hash) ? noteOf(second) : undefined,
  );
  assert.equal(changes.between(first.hash, second.hash), undefined);
  assert.equal(changes.between(second.hash, first.hash), undefined);
});

test('changes lead from the eight before the newest, and from none before those', () => {
  const chain = [first];
  for (let count = 0; count < 10; count += 1) {
    const last = chain.at(-1);
    assert.ok(last);
    chain.push(testConsensus(nextContent(last)));
  }
  const held = new Map(chain.map((each) => [toHex(each.hash), noteOf(each)]));
  const changes = new ChangeCache((hash) => held.get(toHex(hash)));
  const [newest, ...before] = chain.reverse();
  assert.ok(newest);
  const isMade = before.map(({ hash }) => changes.between(hash, newest.hash) !== undefined);
  assert.deepEqual(isMade, [...Array<boolean>(8).fill(true), false, false]);
  assert.equal(changes.between(newest.hash, newest.hash), undefined);
});

test('with a newer one held, changes lead to that', () => {
  const third = testConsensus(nextContent(second));
  const held = new Map([first, second, third].map((each) => [toHex(each.hash), noteOf(each)]));
  const changes = new ChangeCache((hash) => held.get(toHex(hash)));
  assert.ok(changes.between(first.hash, second.hash));
  const change = changes.between(first.hash, third.hash);
  assert.ok(change);
  assert.equal(applyChange(first, change), fromUtf8(noteOf(third)));
  assert.equal(changes.between(second.hash, third.hash), changes.between(second.hash, third.hash));
});
