import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities, testSeed } from '../../test/test-directory.ts';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import {
  decodeNote,
  formatVerifierKey,
  joinNotes,
  type NoteVerifier,
  openNote,
  parseVerifierKey,
  signNote,
} from './note.ts';
import { loadPublicKey } from './public-key.ts';
import { signingKeyFromSeed } from './signing-key.ts';

const [alice, bob] = testAuthorities(2) as [Signer, Signer];
type Signer = ReturnType<typeof testAuthorities>[number];

const verifierOf = ({ name, key }: Signer): NoteVerifier => ({
  name,
  key: loadPublicKey(key.publicKey),
});
const text = 'first line\n\nthird line\n';
const note = signNote(text, alice, bob);
const verifiers = [verifierOf(alice), verifierOf(bob)];
const refusal = (code: string) => ({ name: 'DirectoryError', code });
const [lineOfAlice = '', lineOfBob = ''] = note.slice(text.length + 1).split('\n');

test('a note opens to its text and those who signed', () => {
  const opened = openNote(note, verifiers);
  assert.equal(opened.text, text);
  assert.deepEqual(opened.signers, verifiers);
});

test('the note of the C2SP specification opens under its key', () => {
  const specified =
    'If you think cryptography is the answer to your problem,\n' +
    "then you don't know what your problem is.\n\n" +
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
  const key = parseVerifierKey(
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  );
  assert.deepEqual(openNote(specified, [key]).signers, [key]);
});

test('a signature by an unknown name or key is passed over', () => {
  const stranger = { name: alice.name, key: signingKeyFromSeed(testSeed('stranger')) };
  const opened = openNote(signNote(text, stranger, bob), verifiers);
  assert.deepEqual(opened.signers, [verifiers[1]]);
});

test('a known signer twice is refused', () => {
  assert.throws(
    () => openNote(`${note}${lineOfAlice}\n`, verifiers),
    refusal('duplicate-signature'),
  );
});

test('a wrong signature of a known signer is refused', () => {
  const other = signNote('another text\n', alice).split('\n').at(-2) ?? '';
  assert.throws(
    () => openNote(note.replace(lineOfAlice, other), verifiers),
    refusal('bad-signature'),
  );
  assert.throws(
    () => openNote(note.replace('third', 'Third'), verifiers),
    refusal('bad-signature'),
  );
});

test.each([
  ['no blank line', note.replaceAll('\n\n', '\n')],
  ['no end of the last line', note.slice(0, -1)],
  ['no signature', `${text}\n`],
  ['CRLF', note.replaceAll('\n', '\r\n')],
  ['a carriage return in the text', note.replace('first', 'fir\rst')],
  ['base64 that is not canonical', note.replace(/=\n$/, '\n')],
  ['a signature without bytes after the key id', note.replace(lineOfBob, `— ${bob.name} AAAAAA==`)],
  ['a hyphen instead of a dash', note.replace(lineOfBob, lineOfBob.replace('—', '-'))],
  ['something after a signature', note.replace(lineOfBob, `${lineOfBob} more`)],
  ['a line that is no signature', `${note}more\n`],
  ['65 signature lines', `${note}${'— x AAAAAAA=\n'.repeat(63)}`],
])('a note with %s is refused', (_, changed) => {
  assert.throws(() => openNote(changed, verifiers), refusal('malformed'));
});

test('64 signature lines are read', () => {
  const opened = openNote(`${note}${'— x AAAAAAA=\n'.repeat(62)}`, verifiers);
  assert.equal(opened.signers.length, 2);
});

test('joined notes carry the signatures of all', () => {
  const joined = joinNotes([signNote(text, alice), signNote(text, bob)]);
  assert.equal(joined, note);
});

test('bytes are bounded and must be UTF-8', () => {
  assert.equal(decodeNote(utf8('—'), 3), '—');
  assert.throws(() => decodeNote('—', 2), refusal('too-large'));
  assert.throws(() => decodeNote(utf8('—'), 2), refusal('too-large'));
  assert.throws(() => decodeNote(Uint8Array.of(0xff), 2), refusal('malformed'));
});

test('a note whose text or signatures are not UTF-8 is refused', () => {
  const bytes = utf8(note);
  for (const position of [0, bytes.length - 2]) {
    const damaged = bytes.with(position, 0xff);
    assert.throws(() => openNote(damaged, verifiers), refusal('malformed'));
  }
});

test.each([
  ['a key id of another name', 'x'],
  ['a plus sign in its name', 'a+b'],
])('a verifier key with %s is refused', (_, name) => {
  const [, id, key] = formatVerifierKey(verifierOf(alice)).split('+');
  assert.throws(() => parseVerifierKey(`${name}+${id ?? ''}+${key ?? ''}`), refusal('malformed'));
});

test('any text of lines and any signer names come back', () => {
  const name = fc.stringMatching(/^[!-*,-~ä→]{1,40}$/);
  const lines = fc.array(fc.stringMatching(/^[ -~ä→]{0,20}$/), { minLength: 1 });
  fc.assert(
    fc.property(name, lines, fc.uint8Array({ minLength: 32, maxLength: 32 }), (who, body, seed) => {
      const signer = { name: who, key: signingKeyFromSeed(seed) };
      const verifier = parseVerifierKey(formatVerifierKey(verifierOf(signer)));
      const signed = body.map((line) => `${line}\n`).join('');
      const sealed = signNote(signed, signer);
      const opened = openNote(sealed, [verifier]);
      assert.equal(opened.text, signed);
      assert.deepEqual(opened.signers, [verifier]);
      assert.deepEqual(openNote(utf8(sealed), [verifier]), opened);
    }),
    { numRuns: 40 },
  );
});

test('noise is refused with our own error', () => {
  const noise = fc.oneof(
    fc.string(),
    fc.string().map((end) => `${note}${end}`),
    fc.uint8Array(),
    fc.uint8Array().map((end) => concatBytes(utf8(note), end)),
  );
  fc.assert(
    fc.property(noise, (changed) => {
      try {
        openNote(changed, verifiers);
      } catch (error) {
        assert.ok(error instanceof DirectoryError);
      }
    }),
  );
});
