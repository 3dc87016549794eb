import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ProofError } from '../electrum/proof-error.ts';
import type { FetchedHistory } from './fetch-history.ts';
import { refutationOf } from './refutation.ts';

const nodeId = 'ab'.repeat(16);
const reply = { nodeId, request: new Uint8Array(1), reply: new Uint8Array(2) };
const tip = { height: 100, hash: '00'.repeat(32) };
const fetched: FetchedHistory = {
  claim: { scriptHash: '11'.repeat(32), status: null, entries: [] },
  tip,
  relay: 'cd'.repeat(16),
  evidence: [reply],
};

test('a gateway is called a liar only for what no honest gateway can say', () => {
  const cases = [
    ['bad-merkle-root', 100, 'false-answer', 'gateway'],
    ['unknown-tip', 100, 'unknown-tip', 'gateway'],
    ['stale-tip', 101, 'not-synced', 'gateway'],
    ['stale-tip', 100, 'not-synced', 'unknown'],
  ] as const;
  for (const [proof, newest, code, role] of cases) {
    const error = refutationOf(new ProofError(proof, 'why'), fetched, { ...tip, height: newest });
    assert.equal(error.code, code);
    assert.equal(error.culprit.role, role);
    assert.ok(error.message.includes(nodeId));
    assert.deepEqual(error.evidence, [reply]);
    assert.ok(!error.message.includes(fetched.claim.scriptHash));
  }
});
