import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testConsensus } from '../../test/test-directory.ts';
import { type ConsensusNode, type NodeFlag } from './consensus-node.ts';
import { keptShare } from './kept-share.ts';

const [first] = testConsensus().nodes;
assert.ok(first !== undefined);
const some: ConsensusNode = first;
const ALL: readonly NodeFlag[] = ['Relay', 'Gateway', 'Running'];

/** Nodes by the letters of their names, each with its weight. */
function list(weights: Record<string, number>, flags = ALL): readonly ConsensusNode[] {
  return Object.entries(weights).map(([letter, weight]) => ({
    ...some,
    nodeId: letter.repeat(32),
    weight,
    flags: new Set(flags),
  }));
}

const own = list({ a: 10, b: 10, c: 10, d: 10 });

test.each([
  ['the same list keeps all', own, 1],
  ['weights on another scale keep all', list({ a: 1, b: 1, c: 1, d: 1 }), 1],
  ['nodes besides take nothing', list({ a: 1, b: 1, c: 1, d: 1, e: 96 }), 1],
  ['what is left out is not kept', list({ a: 10 }), 0.25],
  [
    'what does not run by it is not kept',
    [...list({ a: 1 }), ...list({ b: 1, c: 1, d: 1 }, ['Relay', 'Gateway'])],
    0.25,
  ],
  ['what loses its bond is kept in part', list({ a: 97, b: 1, c: 1, d: 1 }), 0.28],
  ['a list without them keeps nothing', list({ e: 1 }), 0],
])('%s', (_what, by, expected) => {
  assert.ok(Math.abs(keptShare({ of: own, by }, 'Gateway') - expected) < 1e-9);
});

test('who gives no work, or in another role, has nothing to keep', () => {
  assert.equal(keptShare({ of: [], by: own }, 'Relay'), 1);
  assert.equal(keptShare({ of: list({ a: 1 }, ['Gateway', 'Running']), by: [] }, 'Relay'), 1);
  assert.equal(keptShare({ of: list({ a: 1 }, ['Gateway', 'Running']), by: [] }, 'Gateway'), 0);
});
