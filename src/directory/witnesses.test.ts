import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { testConsensus, testSeed } from '../../test/test-directory.ts';
import { toHex } from '../base/bytes.ts';
import { type ConsensusNode, parseConsensus } from './consensus.ts';
import { witnessesOf, witnessName } from './witnesses.ts';

const [model = assert.fail()] = testConsensus().nodes;
const hash = testSeed('consensus');

function node(nodeId: string, changes: Partial<ConsensusNode> = {}): ConsensusNode {
  const flags = new Set(['Relay', 'Running'] as const);
  return { ...model, nodeId, family: nodeId, weight: 1, flags, ...changes };
}

const idOf = (number: number): string => number.toString(16).padStart(32, '0');

test('a consensus has these witnesses', () => {
  const url = new URL('../../spec/vectors/valid/witnesses.json', import.meta.url);
  const vector = JSON.parse(readFileSync(url, 'utf8')) as { consensus: string; names: string[] };
  const names = witnessesOf(parseConsensus(vector.consensus)).map(({ name }) => name);
  assert.deepEqual(names, vector.names);
});

test('witnesses are the weightiest running node of each family, 32 at most', () => {
  const nodes = [
    node(idOf(1), { weight: 5 }),
    node(idOf(2), { weight: 8, family: idOf(1) }),
    node(idOf(3), { weight: 7 }),
    node(idOf(4), { weight: 99, flags: new Set(['Relay']) }),
    ...Array.from({ length: 40 }, (_, index) => node(idOf(index + 10))),
  ];
  const witnesses = witnessesOf({ nodes, hash });
  assert.deepEqual(
    witnesses.slice(0, 2).map(({ name }) => name),
    [idOf(2), idOf(3)].map(witnessName),
  );
  assert.equal(witnesses.length, 32);
  assert.ok(witnesses.every(({ name }) => name !== witnessName(idOf(1))));
  assert.deepEqual(witnesses[0]?.key.bytes, model.replyKey.bytes);
});

test('of nodes of one weight no id is better than another, from one consensus to the next', () => {
  const ground = Array.from({ length: 32 }, (_, index) => node(idOf(index)));
  const honest = Array.from({ length: 400 }, (_, index) =>
    node(toHex(testSeed(`node ${index}`)).slice(0, 32)),
  );
  const own = new Set(ground.map(({ nodeId }) => witnessName(nodeId)));
  const found = Array.from({ length: 20 }, (_, epoch) => {
    const witnesses = witnessesOf({ nodes: [...ground, ...honest], hash: testSeed(`${epoch}`) });
    return witnesses.filter(({ name }) => own.has(name)).length;
  });
  // On the average 32 * 32 / 432 of each, 2.4.
  assert.ok(Math.max(...found) <= 8, String(found));
  assert.ok(new Set(found).size > 1);
});
