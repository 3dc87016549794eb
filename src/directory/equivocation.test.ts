import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { signedBy, testAuthorities, testContent, testPolicy } from '../../test/test-directory.ts';
import { testVoteNote } from '../../test/test-votes.ts';
import { toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { convict, parseEvidence, renderEvidence } from './equivocation.ts';
import { parsePolicy } from './policy.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface EvidenceVector {
  readonly policy: string;
  readonly evidence: string;
}

interface ValidEvidence extends EvidenceVector {
  readonly kind: string;
  readonly epoch: number;
  readonly digests: readonly string[];
  readonly convicted: readonly string[];
}

const authorities = testAuthorities(5);
const policy = testPolicy(authorities);
const [one, two, three, four, five] = authorities;
assert.ok(one && two && three && four && five);

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

const named = (directory: string): readonly string[] =>
  readdirSync(new URL(directory, VECTORS)).filter((name) => name.startsWith('evidence-'));

test.each(named('valid'))('%s convicts', (name) => {
  const vector = read(`valid/${name}`) as ValidEvidence;
  const found = convict(parseEvidence(vector.evidence), parsePolicy(vector.policy));
  assert.equal(found.kind, vector.kind);
  assert.equal(found.epoch, vector.epoch);
  assert.deepEqual(found.digests.map(toHex), vector.digests);
  assert.deepEqual(
    found.convicted.map((authority) => authority.name),
    vector.convicted,
  );
});

test.each(named('invalid'))('%s is refused with its code', (name) => {
  const vector = read(`invalid/${name}`) as EvidenceVector & { code: string };
  assert.throws(() => convict(parseEvidence(vector.evidence), parsePolicy(vector.policy)), {
    name: 'DirectoryError',
    code: vector.code,
  });
});

test('evidence is the same whichever note was found first', () => {
  const notes = [testVoteNote(one), testVoteNote(one, { nodes: [] })] as const;
  const evidence = renderEvidence(notes);
  assert.equal(renderEvidence([notes[1], notes[0]]), evidence);
  assert.equal(renderEvidence(parseEvidence(evidence)), evidence);
});

test('who passes on both votes of an author is not convicted', () => {
  const votes = [
    testVoteNote(one, {}, [two, three]),
    testVoteNote(one, { nodes: [] }, [two, three]),
  ] as const;
  assert.deepEqual(
    convict(votes, policy).convicted.map(({ name }) => name),
    ['authority-1'],
  );
});

test('of consensuses all who signed both are convicted, and nobody else', () => {
  const notes = [
    signedBy(testContent(), [one, two, three, four]),
    signedBy(testContent({ nodes: [] }), [three, four, five]),
  ] as const;
  assert.deepEqual(
    convict(notes, policy).convicted.map(({ name }) => name),
    ['authority-3', 'authority-4'],
  );
});

test('damaged evidence convicts nobody', () => {
  const evidence = renderEvidence([testVoteNote(one), testVoteNote(one, { nodes: [] })]);
  fc.assert(
    fc.property(fc.nat(evidence.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
      const damaged = evidence.slice(0, at) + text + evidence.slice(at + 1);
      fc.pre(damaged !== evidence);
      assert.throws(() => convict(parseEvidence(damaged), policy), DirectoryError);
    }),
  );
});
