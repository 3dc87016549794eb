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
