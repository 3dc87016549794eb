import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testAuthorities, testConsensus, testPolicy } from '../../test/test-directory.ts';
import { testSlot, testVote } from '../../test/test-votes.ts';
import { utf8 } from '../base/bytes.ts';
import { verifyConsensus } from './accept-consensus.ts';
import { parseDetached, signDetached } from './detached-signature.ts';
import { GatheredSignatures } from './gathered-signatures.ts';
import { signNote } from './note.ts';

const five = testAuthorities(5);
const policy = testPolicy(five);
const slot = testSlot(5);
const { epoch } = slot;
const { text } = testConsensus({ epoch });
const { text: other } = testConsensus({ epoch, params: new Map() });
const signatures = five.map((signer) => parseDetached(signDetached(text, signer)));
const otherSignatures = five.map((signer) => parseDetached(signDetached(other, signer)));

/** With the texts, each by a signature of its own. */
function gathered(): GatheredSignatures {
  return new GatheredSignatures(policy, slot);
}

test('the signatures of three of five, however often they come, make a consensus', () => {
  const all = gathered();
  for (const signature of signatures.slice(0, 2)) {
    all.add(signature, `${text}\n`);
    all.add(signature);
  }
  assert.equal(all.quorum(), undefined);
  const [, , third, fourth] = signatures;
  assert.ok(third !== undefined && fourth !== undefined);
  all.add(third);
  all.add(fourth);
  const note = all.quorum() ?? '';
  assert.equal(verifyConsensus(note, policy).text, text);
  assert.equal(note, signNote(text, ...five.slice(0, 4)));
});

test('signatures of different texts are not put together, and of one signer the first counts', () => {
  const all = gathered();
  for (const signature of signatures.slice(0, 2)) all.add(signature, signNote(text));
  for (const signature of otherSignatures) all.add(signature, signNote(other));
  assert.equal(all.quorum(), signNote(other, ...five.slice(2)));
});

test('what is not a signature of an authority is refused', () => {
  const all = gathered();
  const [stranger] = testAuthorities(6).slice(5);
  const [first, second] = five;
  assert.ok(stranger !== undefined && first !== undefined && second !== undefined);
  const ofStranger = parseDetached(signDetached(text, stranger));
  assert.throws(
    () => {
      all.add(ofStranger, signNote(text));
    },
    { code: 'unknown-authority' },
  );
  const [line = ''] = signatures.map((each) => each.line);
  const wrong = { hash: parseDetached(signDetached(other, first)).hash, line };
  assert.throws(
    () => {
      all.add(wrong, signNote(other));
    },
    { code: 'bad-signature' },
  );
});

test('the text of a signature is taken from whoever has it, if it is the right one', () => {
  const all = gathered();
  const [signature] = signatures;
  assert.ok(signature !== undefined);
  assert.equal(all.hasText(signature.hash), false);
  assert.throws(
    () => {
      all.add(signature, utf8(signNote(other, ...five)));
    },
    { code: 'wrong-digest' },
  );
  all.add(signature, utf8(signNote(text, ...five)));
  assert.equal(all.hasText(signature.hash), true);
});

test.each([
  ['wrong-slot', testConsensus({ epoch: epoch - 1 }).text],
  ['wrong-slot', testConsensus({ epoch, freshUntil: slot.freshUntil + 1 }).text],
  ['wrong-network', testConsensus({ epoch, network: 'mainnet' }).text],
  ['malformed', five.slice(0, 1).map((author) => testVote(author).text)[0] ?? ''],
])('what an authority signed for something else is refused as %s, and not kept', (code, text) => {
  const all = gathered();
  for (const signer of five) {
    const signature = parseDetached(signDetached(text, signer));
    assert.throws(
      () => {
        all.add(signature, signNote(text));
      },
      { code },
    );
    assert.equal(all.hasText(signature.hash), false);
  }
  assert.equal(all.quorum(), undefined);
});

test('only a detached signature is read as one', () => {
  const [signer] = five;
  assert.ok(signer !== undefined);
  const right = signDetached(text, signer);
  for (const wrong of [
    '',
    right.slice(0, -1),
    `${right}\n`,
    right.replace('consensus ', 'vote '),
  ]) {
    assert.throws(() => parseDetached(wrong), { code: 'malformed' });
  }
  assert.throws(() => parseDetached('a'.repeat(2049)), { code: 'too-large' });
});
