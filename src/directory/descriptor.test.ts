import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  TEST_TIME,
  testDescriptor,
  testDescriptorNote,
  testKeyConfig,
  testSeed,
  testStatement,
} from '../../test/test-directory.ts';
import { toBase64, utf8 } from '../base/bytes.ts';
import { parseDescriptor, rereadDescriptor } from './descriptor.ts';
import { DirectoryError } from './directory-error.ts';
import { digestOfText, signNote, textOfNote } from './note.ts';
import { nodeIdOf } from './node-id.ts';
import { signingKeyFromSeed } from './signing-key.ts';

const note = testDescriptorNote('a');
const identity = signingKeyFromSeed(testSeed('identity a'));
const refusal = (code: string) => ({ name: 'DirectoryError', code });

/** The descriptor with its text changed and signed again by its identity. */
function resigned(change: (text: string) => string): string {
  const name = `sotto/${nodeIdOf(identity.publicKey)}`;
  return signNote(change(textOfNote(note)), { name, key: identity });
}

test('a signed descriptor says what the node stated', () => {
  const { port, ...statement } = testStatement('a');
  const descriptor = parseDescriptor(utf8(note));
  assert.deepEqual({ ...descriptor, ...statement, bond: undefined }, descriptor);
  assert.equal(descriptor.onion.port, port);
  assert.deepEqual(descriptor.identity, identity.publicKey);
  assert.equal(descriptor.nodeId, nodeIdOf(identity.publicKey));
  assert.deepEqual(descriptor.digest, digestOfText(textOfNote(note)));
});

test('unknown lines are kept and signed over', () => {
  const unknown = ['weather fine', 'x-flag'];
  const signed = testDescriptorNote('a', { unknown });
  assert.deepEqual(parseDescriptor(signed).unknown, unknown);
  assert.throws(() => parseDescriptor(signed.replace('fine', 'foul')), refusal('bad-signature'));
});

test('a bond comes back as it was stated', () => {
  const bond = {
    txid: 'ab'.repeat(32),
    vout: 1,
    sats: 5_000_000_000,
    locktime: 1_900_000_000,
    publicKey: new Uint8Array(33).fill(2),
    expiry: 450,
    signature: new Uint8Array(64).fill(7),
  };
  assert.deepEqual(testDescriptor('a', { bond }).bond, bond);
});

test('a descriptor of 8192 bytes is read and one of 8193 is refused', () => {
  const filler = 8192 - utf8(testDescriptorNote('a', { unknown: ['pad '] })).length;
  const padded = (bytes: number) => resigned((text) => text + `pad ${'x'.repeat(bytes)}\n`);
  assert.equal(utf8(padded(filler)).length, 8192);
  assert.equal(parseDescriptor(padded(filler)).unknown.length, 1);
  assert.throws(() => parseDescriptor(padded(filler + 1)), refusal('too-large'));
});

test('a node id that is not that of the identity is refused', () => {
  const changed = resigned((text) => text.replace(/^node .*/m, `node ${'0'.repeat(32)}`));
  assert.throws(() => parseDescriptor(changed), refusal('wrong-node-id'));
});

test('a descriptor that only a stranger signed is refused', () => {
  const stranger = { name: 'sotto/stranger', key: signingKeyFromSeed(testSeed('stranger')) };
  const signed = signNote(textOfNote(note), stranger);
  assert.throws(() => parseDescriptor(signed), refusal('unsigned'));
});

test('an onion that did not sign this identity is refused', () => {
  const other = /^onion .*/m.exec(testDescriptorNote('b'))?.[0] ?? '';
  const changed = resigned((text) => text.replace(/^onion .*/m, other));
  assert.throws(() => parseDescriptor(changed), refusal('bad-onion-signature'));
  const later = resigned((text) => text.replace(/^published .*/m, `published ${TEST_TIME}`));
  assert.throws(() => parseDescriptor(later), refusal('bad-onion-signature'));
});

test('what was parsed before is read as it was, and no signature of it is looked at', () => {
  assert.deepEqual(rereadDescriptor(note), parseDescriptor(note));
  const forged = note.replace(/^published .*/m, `published ${TEST_TIME}`);
  assert.throws(() => parseDescriptor(forged), refusal('bad-signature'));
  assert.equal(rereadDescriptor(forged).published, TEST_TIME);
  assert.throws(() => rereadDescriptor(note.slice(20)), refusal('malformed'));
});

test('a weak reply key is refused', () => {
  const weak = toBase64(Uint8Array.of(1, ...new Uint8Array(31)));
  const changed = resigned((text) => text.replace(/^reply-key \S+/m, `reply-key ${weak}`));
  assert.throws(() => parseDescriptor(changed), refusal('weak-key'));
});

test('a line that is there twice is refused, whether it is known or not', () => {
  const known = resigned((text) => `${text}${line(/^roles .*\n/m)}`);
  const unknown = resigned((text) => `${text}weather fine\nweather foul\n`);
  for (const each of [known, unknown]) {
    assert.throws(() => parseDescriptor(each), refusal('duplicate-line'));
  }
});

const line = (pattern: RegExp): string => pattern.exec(note)?.[0] ?? '';
test.each<[string, (text: string) => string]>([
  ['another first line', (text) => text.replace('/1\n', '/2\n')],
  ['a third line hpke', (text) => `${text}${line(/^hpke .*\n/m)}`],
  ['one line hpke', (text) => text.replace(/^hpke .*\n/m, '')],
  ['a line missing', (text) => text.replace(/^limits .*\n/m, '')],
  ['a line without a name', (text) => `${text} indented\n`],
  ['a blank line', (text) => `${text}\nmore x\n`],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['spaces at the end of a line', (text) => text.replace(/^(node .*)/m, '$1 ')],
  ['a number with a leading zero', (text) => text.replace(/^published /m, 'published 0')],
  ['a number too large', (text) => text.replace(/burst=\d+/, 'burst=9999999999999999')],
  ['an upper-case node id', (text) => text.replace(/^node .*/m, (found) => found.toUpperCase())],
  ['base64 without padding', (text) => text.replace(/^(identity .*)=$/m, '$1')],
  ['base64 with bits to spare set', (text) => text.replace(/^(identity .*).=$/m, '$1B=')],
  ['roles out of order', (text) => text.replace('relay,gateway', 'gateway,relay')],
  [
    'an onion with a wrong checksum',
    (text) => text.replace(/.(?=d\.onion)/, (c) => (c === 'a' ? 'b' : 'a')),
  ],
  ['port 0', (text) => text.replace(':50010', ':0')],
  ['a day that does not exist', (text) => text.replace(/until .*/, 'until 2027-02-30')],
  ['a reply key that ends before it', (text) => text.replace(/until .*/, 'until 2026-12-01')],
  [
    'times more than 48 h apart',
    (text) => text.replace(/^expires .*/m, `expires ${TEST_TIME + 172_800}`),
  ],
  [
    'an end before its beginning',
    (text) => text.replace(/^expires .*/m, `expires ${TEST_TIME - 7200}`),
  ],
  ['a key id that is not its epoch', (text) => text.replace(/^hpke (\d+)/m, 'hpke 9')],
  [
    'key epochs that do not follow',
    (text) => text.replace(/^hpke (.*) epoch 20788/m, 'hpke $1 epoch 20532'),
  ],
  ['a suite that is not ours', (text) => text.replace('AAM= epoch', 'AAE= epoch')],
  ['a family out of order', (text) => `${text}family ${'b'.repeat(32)},${'a'.repeat(32)}\n`],
  ['a family of 101', (text) => `${text}family ${Array(101).fill('a'.repeat(32)).join(',')}\n`],
])('a descriptor with %s is refused', (_, change) => {
  const changed = resigned(change);
  assert.notEqual(changed, note);
  assert.throws(() => parseDescriptor(changed), refusal('malformed'));
});

test('a statement that could not be read back is not signed', () => {
  assert.throws(() => testDescriptorNote('a', { expires: TEST_TIME + 1e6 }), refusal('malformed'));
  assert.throws(() => testDescriptorNote('a', { unknown: ['No name'] }), refusal('malformed'));
});

test('any statement comes back', () => {
  const nodeIds = fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{32}$/), { maxLength: 5 });
  const word = fc.stringMatching(/^[ -~]{0,30}$/);
  const statement = fc.record({
    port: fc.integer({ min: 1, max: 65_535 }),
    roles: fc.constantFrom(new Set(['relay'] as const), new Set(['gateway'] as const)),
    family: nodeIds.map((ids) => ids.sort()),
    limits: fc.nat().map((cellsPerSecond) => ({ cellsPerSecond, burst: 2 * cellsPerSecond })),
    unknown: fc.array(word, { maxLength: 3 }).map((all) => all.map((w, i) => `x-${i} ${w}`)),
    keyConfigs: fc.nat().map(
      (epoch) =>
        [
          { epoch, keyConfig: testKeyConfig('a', epoch) },
          { epoch: epoch + 1, keyConfig: testKeyConfig('a', epoch + 1) },
        ] as const,
    ),
  });
  fc.assert(
    fc.property(statement, ({ port, ...changes }) => {
      const parsed = testDescriptor('a', { port, ...changes });
      assert.deepEqual({ ...parsed, ...changes }, parsed);
      assert.equal(parsed.onion.port, port);
    }),
    { numRuns: 30 },
  );
});

test('noise is refused with our own error', () => {
  const at = fc.tuple(fc.nat({ max: note.length - 1 }), fc.string({ minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(at, ([index, noise]) => {
      const changed = note.slice(0, index) + noise + note.slice(index + noise.length);
      if (changed === note) return;
      assert.throws(() => parseDescriptor(changed), DirectoryError);
    }),
    { numRuns: 60 },
  );
});
