import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import {
  testAuthorities,
  testDescriptor,
  testPolicy,
  testSeed,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { parsePolicy, renderPolicy } from './policy.ts';
import {
  fingerprintOf,
  formatPolicyLink,
  openFetchedPolicy,
  parsePolicyLink,
  policyFor,
} from './policy-link.ts';

const policy = testPolicy(testAuthorities(3));
const { onion } = testDescriptor('a');
const link = { network: 'regtest', onion, fingerprint: fingerprintOf(policy) };

test('a link comes back as it was, and is short enough for a small code', () => {
  const text = formatPolicyLink(link);
  assert.deepEqual(parsePolicyLink(text), link);
  assert.ok(text.length < 160, text);
});

test('another text is no link', () => {
  const text = formatPolicyLink(link);
  for (const bad of [
    '',
    text.slice(1),
    `${text}0`,
    text.replace('#', ''),
    text.replace(':50010', ':0'),
  ]) {
    assert.throws(() => parsePolicyLink(bad), { code: 'malformed' });
  }
});

test('the fingerprint is of what the policy says, not of how it is written', () => {
  const written = `# from a friend\n\n${renderPolicy(policy).replaceAll(' ', '  ')}`;
  assert.deepEqual(fingerprintOf(parsePolicy(written)), link.fingerprint);
});

test('the fingerprint of a policy is that of its lines in one order', () => {
  const url = new URL('../../spec/vectors/valid/policy-fingerprint.json', import.meta.url);
  const vector = JSON.parse(readFileSync(url, 'utf8')) as Record<string, string>;
  const read = parsePolicy(vector['policy'] ?? '');
  assert.equal(renderPolicy(read), vector['text']);
  assert.equal(toHex(fingerprintOf(read)), vector['fingerprint']);
});

test('who has the policy shows it to those who know its fingerprint, and they believe no other', () => {
  const shown = policyFor(link.fingerprint, policy);
  assert.ok(shown);
  assert.equal(openFetchedPolicy(shown, link), renderPolicy(policy));
  assert.equal(policyFor(testSeed('another'), policy), undefined);
  const other = utf8(fromUtf8(shown).replace('regtest', 'signet'));
  assert.throws(() => openFetchedPolicy(other, link), { code: 'wrong-digest' });
  assert.throws(() => openFetchedPolicy(new Uint8Array(65_537), link), { code: 'too-large' });
  const elsewhere = { ...link, network: 'signet' };
  assert.throws(() => openFetchedPolicy(shown, elsewhere), { code: 'wrong-network' });
});
