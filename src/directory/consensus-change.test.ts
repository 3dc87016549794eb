import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  signedBy,
  testAuthorities,
  testContent,
  testKeyConfig,
  testSeed,
} from '../../test/test-directory.ts';
import { toBase64 } from '../base/bytes.ts';
import { applyChange, renderChange } from './consensus-change.ts';
import { type Consensus, type ConsensusContent, parseConsensus } from './consensus.ts';
import { DirectoryError } from './directory-error.ts';
import { textOfNote } from './note.ts';

const authorities = testAuthorities(3);
const content = testContent();
const [first, second] = content.nodes;
assert.ok(first && second);
const log = { origin: 'sotto.example/log', size: 3, root: testSeed('root') };

test('a change leads from one consensus to the note of another', () => {
  const successors: Partial<ConsensusContent>[] = [
    {},
    { epoch: 2 },
    { nodes: content.nodes.slice(1) },
    { nodes: content.nodes.slice(0, -1) },
    { nodes: [] },
    { nodes: [{ ...first, weight: 7 }, ...content.nodes.slice(1)] },
    { log },
    { log, nodes: [] },
  ];
  for (const one of successors) {
    for (const other of successors)
      assertLeads(testContent(one), testContent({ ...other, epoch: 3 }));
  }
});

test('a node whose keys moved on by one costs its id, its digest and one key', () => {
  const from = consensusOf(testContent());
  const moved = {
    ...first,
    descriptorDigest: testSeed('digest'),
    keyConfigs: { current: first.keyConfigs.next, next: toBase64(testKeyConfig('a', 20_790)) },
  };
  const same = signedBy(testContent({ epoch: 2 }), authorities);
  const to = signedBy(
    testContent({ epoch: 2, nodes: [moved, ...content.nodes.slice(1)] }),
    authorities,
  );
  const cost = renderChange(from, to).length - renderChange(from, same).length;
  assert.equal(cost, 'node '.length + 32 + 1 + 44 + ' = = = = > '.length + 56 + ' =\n'.length);
});

test('a change of another consensus than the one held is refused', () => {
  const change = renderChange(
    consensusOf(testContent()),
    signedBy(testContent({ epoch: 3 }), authorities),
  );
  assert.throws(() => applyChange(consensusOf(testContent({ epoch: 2 })), change), {
    code: 'wrong-digest',
  });
});

test('a damaged change is refused, or leads to a text that was not signed', () => {
  const from = consensusOf(testContent({ log }));
  const to = signedBy(testContent({ epoch: 2, nodes: content.nodes.slice(2), log }), authorities);
  const change = renderChange(from, to);
  fc.assert(
    fc.property(fc.nat(change.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
      const damaged = change.slice(0, at) + text + change.slice(at + 1);
      fc.pre(damaged !== change);
      try {
        assert.notEqual(applyChange(from, damaged), to);
      } catch (error) {
        assert.ok(error instanceof DirectoryError, String(error));
      }
    }),
  );
});

function assertLeads(before: ConsensusContent, after: ConsensusContent): void {
  const from = consensusOf(before);
  const to = signedBy(after, authorities);
  assert.equal(applyChange(from, renderChange(from, to)), to);
}

function consensusOf(of: ConsensusContent): Consensus {
  return parseConsensus(textOfNote(signedBy(of, authorities)));
}
