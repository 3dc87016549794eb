import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testContent,
  testKeyConfig,
  testPolicy,
  testSeed,
} from '../../test/test-directory.ts';
import { toBase64, utf8 } from '../base/bytes.ts';
import { acceptConsensus, type AcceptOptions } from './accept-consensus.ts';
import { type Consensus } from './consensus.ts';
import { signingKeyFromSeed } from './signing-key.ts';

const authorities = testAuthorities(5);
const three = authorities.slice(0, 3);
const policy = testPolicy(authorities);
const first = testConsensus();
const note = signedBy(first, three);
const now = TEST_TIME * 1000;
const refusal = (code: string) => ({ name: 'DirectoryError', code });

const accept = (options: Partial<AcceptOptions>): Consensus =>
  acceptConsensus({ note, policy, now, ...options });

/** The note of the consensus after `first`, valid at `now`, and changed. */
const following = (changes: Parameters<typeof nextContent>[1]): string =>
  signedBy(
    nextContent(first, {
      validAfter: TEST_TIME,
      freshUntil: TEST_TIME + 60,
      validUntil: TEST_TIME + 120,
      ...changes,
    }),
    three,
  );

test('a majority of the authorities is enough, in text or bytes', () => {
  assert.equal(accept({}).text, first.text);
  assert.deepEqual(accept({ note: utf8(note) }).hash, first.hash);
  assert.equal(accept({ note: signedBy(first, authorities) }).text, first.text);
});

test('two of five signatures are too few', () => {
  const two = signedBy(first, authorities.slice(0, 2));
  assert.throws(() => accept({ note: two }), refusal('too-few-signatures'));
});

test('signatures by strangers do not count', () => {
  const stranger = { name: 'sotto/authority-3', key: signingKeyFromSeed(testSeed('stranger')) };
  const signed = signedBy(first, [...authorities.slice(0, 2), stranger]);
  assert.throws(() => accept({ note: signed }), refusal('too-few-signatures'));
});

test('one authority that signs three times is refused', () => {
  const [one] = authorities;
  assert.ok(one !== undefined);
  assert.throws(
    () => accept({ note: signedBy(first, [one, one, one]) }),
    refusal('duplicate-signature'),
  );
});

test('one wrong signature among enough right ones is refused', () => {
  const other =
    signedBy(testContent({ epoch: 2 }), authorities)
      .split('\n')
      .at(-2) ?? '';
  assert.throws(() => accept({ note: `${note}${other}\n` }), refusal('bad-signature'));
});

test("a node's key that was swapped after signing is refused", () => {
  const replyKey = signingKeyFromSeed(testSeed('thief')).publicKey;
  const swapped = note.replace(/ \S{44}\n/, ` ${Buffer.from(replyKey).toString('base64')}\n`);
  assert.notEqual(swapped, note);
  assert.throws(() => accept({ note: swapped }), refusal('bad-signature'));
});

test('a node twice is refused, whoever signed it', () => {
  const twice = first.text.replace(/(node .*\n)/, '$1$1');
  const signed = signedBy(first, three);
  assert.throws(
    () => accept({ note: signed.replace(first.text, twice) }),
    refusal('bad-signature'),
  );
  const [node] = first.nodes;
  assert.ok(node !== undefined);
  assert.throws(() => testConsensus({ nodes: [node, node] }), refusal('duplicate-node'));
});

test('a consensus of another network is refused', () => {
  const signed = signedBy(testContent({ network: 'signet' }), three);
  assert.throws(() => accept({ note: signed }), refusal('wrong-network'));
});

test('a note larger than any consensus is refused unread', () => {
  assert.throws(() => accept({ note: new Uint8Array(4_200_001) }), refusal('too-large'));
});

test('it holds from valid-after to just before valid-until', () => {
  assert.throws(() => accept({ now: now - 1 }), refusal('not-yet-valid'));
  assert.ok(accept({ now }));
  assert.ok(accept({ now: first.validUntil * 1000 - 1 }));
  assert.throws(() => accept({ now: first.validUntil * 1000 }), refusal('expired'));
});

test('the same consensus again is accepted, and the one that follows', () => {
  assert.equal(accept({ previous: first }).text, first.text);
  assert.equal(accept({ previous: first, note: following({}) }).epoch, 2);
});

test('an older epoch is refused', () => {
  const second = testConsensus(nextContent(first));
  assert.throws(() => accept({ previous: second }), refusal('rolled-back'));
});

test('another consensus of the same epoch is refused', () => {
  const signed = signedBy(testContent({ params: new Map([['mix-ms', 1]]) }), three);
  assert.throws(() => accept({ previous: first, note: signed }), refusal('forked'));
});

test('a next epoch that follows another consensus is refused', () => {
  const signed = following({ prev: new Uint8Array(32).fill(1) });
  assert.throws(() => accept({ previous: first, note: signed }), refusal('forked'));
});

test('a later epoch that does not follow directly leaves a gap', () => {
  const signed = following({ epoch: 3, prev: new Uint8Array(32).fill(1) });
  assert.throws(() => accept({ previous: first, note: signed }), refusal('gap'));
});

test('after more than 7 days the epoch alone decides', () => {
  const validAfter = first.validUntil + 7 * 86_400;
  const later = (after: number) => ({
    note: signedBy(
      nextContent(first, {
        ...{ epoch: 30, prev: new Uint8Array(32).fill(1) },
        ...{ validAfter: after, freshUntil: after + 1, validUntil: after + 2 },
      }),
      three,
    ),
    now: after * 1000,
    previous: first,
  });
  assert.equal(accept(later(validAfter)).epoch, 30);
  assert.throws(() => accept(later(validAfter - 1)), refusal('gap'));
});

test('another key under a key id that was announced is refused', () => {
  const [node, ...others] = first.nodes;
  assert.ok(node !== undefined);
  const keyConfig = (name: string, epoch: number) => toBase64(testKeyConfig(name, epoch));
  const withKeys = (current: string, next: string) =>
    following({ nodes: [{ ...node, keyConfigs: { current, next } }, ...others] });
  const { next } = node.keyConfigs;
  const renewed = withKeys(next, keyConfig('renewed', 20_790));
  assert.equal(accept({ previous: first, note: renewed }).epoch, 2);
  const swapped = withKeys(keyConfig('swapped', 20_789), keyConfig('renewed', 20_790));
  assert.throws(() => accept({ previous: first, note: swapped }), refusal('swapped-key'));
});
