import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities, testPolicy } from '../../test/test-directory.ts';
import { isQuorum, type Policy } from './policy.ts';
import { comparePolicies } from './policy-change.ts';

const all = testPolicy(testAuthorities(6));
const policyOf = (...indices: readonly number[]): Policy => ({
  ...all,
  authorities: all.authorities.filter((_, index) => indices.includes(index)),
});

test.each([
  { which: 'one that comes to three', from: [0, 1, 2], to: [0, 1, 2, 3], goesOn: 'always' },
  { which: 'one that leaves three', from: [0, 1, 2], to: [0, 1], goesOn: 'always' },
  {
    which: 'one of four that leaves',
    from: [0, 1, 2, 3],
    to: [1, 2, 3],
    goesOn: 'when-enough-sign',
  },
  {
    which: 'one of three that is replaced',
    from: [0, 1, 2],
    to: [1, 2, 3],
    goesOn: 'when-enough-sign',
  },
  { which: 'two of three that are replaced', from: [0, 1, 2], to: [2, 3, 4], goesOn: 'never' },
])('with $which an older file goes on: $goesOn', ({ from, to, goesOn }) => {
  assert.equal(comparePolicies(policyOf(...from), policyOf(...to)).olderGoesOn, goesOn);
});

test('those who stay, come and go are named, and how many must sign', () => {
  assert.deepEqual(comparePolicies(policyOf(0, 1, 2, 3), policyOf(1, 2, 3, 4, 5)), {
    stay: ['authority-2', 'authority-3', 'authority-4'],
    come: ['authority-5', 'authority-6'],
    go: ['authority-1'],
    toStart: 3,
    forOlder: 3,
    olderGoesOn: 'when-enough-sign',
  });
});

test('an authority with a new key is another one', () => {
  const older = policyOf(0, 1, 2);
  const renewed = policyOf(0, 1, 3).authorities.map((each, index) => ({
    ...each,
    name: `authority-${index + 1}`,
  }));
  const { come, go } = comparePolicies(older, { ...older, authorities: renewed });
  assert.deepEqual([come, go], [['authority-3'], ['authority-3']]);
});

const some = fc.uniqueArray(fc.nat(5), { minLength: 1 });

test('it goes on always when each quorum of the newer file is one of the older, and never when none is', () => {
  fc.assert(
    fc.property(some, some, (from, to) => {
      const [older, newer] = [policyOf(...from), policyOf(...to)];
      const verifiers = newer.authorities.map(({ verifier }) => verifier);
      const quorums = Array.from({ length: 2 ** verifiers.length }, (_, bits) =>
        verifiers.filter((_verifier, index) => (bits >> index) % 2 === 1),
      ).filter((signers) => isQuorum(newer, signers));
      const enough = quorums.filter((signers) => isQuorum(older, signers));
      const expected =
        enough.length === 0
          ? 'never'
          : enough.length < quorums.length
            ? 'when-enough-sign'
            : 'always';
      assert.equal(comparePolicies(older, newer).olderGoesOn, expected);
    }),
  );
});
