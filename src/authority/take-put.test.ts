import assert from 'node:assert/strict';
import { test } from 'vitest';
import { DirectoryError } from '../directory/directory-error.ts';
import { verdictOf } from './take-put.ts';

test('what can be otherwise soon is to be brought again, what cannot is not', () => {
  const passing = ['bond-unproved', 'wrong-key-epoch', 'unknown-node', 'full', 'busy'] as const;
  for (const code of passing) {
    assert.equal(verdictOf(new DirectoryError(code, 'why')).verdict, 'later', code);
  }
  for (const code of ['replayed', 'expired', 'bond-certificate', 'malformed'] as const) {
    assert.equal(verdictOf(new DirectoryError(code, 'why')).verdict, 'refused', code);
  }
});
