import assert from 'node:assert/strict';
import { test } from 'vitest';
import { TEST_TIME, testConsensus } from '../../test/test-directory.ts';
import { describeConsensus } from './describe-consensus.ts';

const consensus = testConsensus();

test('a consensus is described in values that JSON keeps', () => {
  const described = describeConsensus(consensus, TEST_TIME * 1000);
  assert.deepEqual(JSON.parse(JSON.stringify(described)), described);
  assert.equal(described.validAfter, '2026-12-01T00:00:00.000Z');
  assert.equal(described.params['mix-ms'], 500);
  const [row] = described.nodes;
  const [node] = consensus.nodes;
  assert.deepEqual(row, {
    nodeId: node?.nodeId,
    onion: `${node?.onion.host ?? ''}:50010`,
    roles: ['relay', 'gateway'],
    family: node?.family,
    weight: 100,
    flags: ['Relay', 'Gateway', 'Running'],
  });
});

test.each([
  [-1, 'not yet valid'],
  [0, 'fresh'],
  [6 * 3600, 'valid'],
  [24 * 3600, 'expired'],
])('%i seconds after valid-after it is %s', (seconds, state) => {
  assert.equal(describeConsensus(consensus, (TEST_TIME + seconds) * 1000).state, state);
});
