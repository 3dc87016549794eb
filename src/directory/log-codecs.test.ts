import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testConsensus, testSeed } from '../../test/test-directory.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { parseEvidenceIndex, renderEvidenceIndex } from './evidence-index.ts';
import { parseEvidenceNotice, renderEvidenceNotice } from './evidence-notice.ts';
import { GatheredCosignatures } from './gathered-cosignatures.ts';
import { checkLogProof, type Logged, renderLogProof } from './log-proof.ts';
import { leafHash, logRoot, MerkleTree } from './merkle-log.ts';
import { parseWitnessRecord, renderWitnessRecord } from './witness-record.ts';
import { witnessName } from './witnesses.ts';

const entries = Array.from({ length: 70 }, (_, index) => testSeed(`entry ${index}`));
const tree = new MerkleTree(entries.map(leafHash));
const loggedAt = (size: number): Logged => ({
  hash: entries[size] ?? assert.fail(),
  log: { origin: 'sotto/test', size, root: logRoot(entries.slice(0, size).map(leafHash)) },
});
const heads = fc
  .tuple(fc.nat(68), fc.nat(68))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other) + 1] as const);

test('a log is proved to have grown from any size to any greater one, and by no proof that differs in a byte', () => {
  fc.assert(
    fc.property(heads, fc.nat(), ([from, to], at) => {
      const proof = renderLogProof(tree, from, to) ?? assert.fail();
      checkLogProof(loggedAt(from), loggedAt(to), proof);
      const changed = Uint8Array.from(proof);
      const index = at % changed.length;
      changed[index] = (changed[index] ?? 0) ^ 1;
      assert.throws(
        () => {
          checkLogProof(loggedAt(from), loggedAt(to), changed);
        },
        { code: 'log-forked' },
      );
    }),
  );
  for (const proof of [Uint8Array.of(), Uint8Array.of(1)]) {
    assert.throws(
      () => {
        checkLogProof(loggedAt(0), loggedAt(1), proof);
      },
      { code: 'log-forked' },
    );
  }
  assert.equal(renderLogProof(tree, 3, 3), undefined);
  assert.equal(renderLogProof(tree, 3, 71), undefined);
});

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const entry = fc
  .record(
    {
      kind: fc.constantFrom('votes', 'consensuses'),
      epoch: fc.nat(),
      digests: fc.tuple(hash, hash),
    },
    { noNullPrototype: true },
  )
  .filter(({ digests: [one, other] }) => toHex(one) <= toHex(other));

test('an index of evidence, a notice and a record of witnesses are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 64 }), (all) => {
      assert.deepEqual(parseEvidenceIndex(utf8(renderEvidenceIndex(all))), all);
    }),
  );
  const { nodeId } = testConsensus().nodes[0] ?? assert.fail();
  assert.equal(parseEvidenceNotice(utf8(renderEvidenceNotice(nodeId))), nodeId);
  const witnesses = testConsensus().nodes.map(({ nodeId: id, replyKey }) => ({
    name: witnessName(id),
    key: replyKey,
  }));
  const text = renderWitnessRecord({ percent: 51, witnesses });
  assert.equal(renderWitnessRecord(parseWitnessRecord(utf8(text))), text);
});

test('noise is refused with a DirectoryError, and nothing else is thrown', () => {
  const gathered = new GatheredCosignatures({ text: 'a\n', authorities: [], witnesses: [] });
  const readers = [
    parseEvidenceIndex,
    parseEvidenceNotice,
    parseWitnessRecord,
    (bytes: Uint8Array) => gathered.take(bytes),
    (bytes: Uint8Array) => {
      checkLogProof(loggedAt(1), loggedAt(5), bytes);
    },
  ];
  const headers = ['', 'sotto-evidence-index/1\n', 'sotto-witnesses/1\npercent ', 'a\n\n'];
  fc.assert(
    fc.property(fc.constantFrom(...headers), fc.uint8Array(), (header, noise) => {
      for (const read of readers) {
        try {
          read(Buffer.concat([utf8(header), noise]));
        } catch (error) {
          assert.ok(error instanceof DirectoryError);
        }
      }
    }),
  );
});
