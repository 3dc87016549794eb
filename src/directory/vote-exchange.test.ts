import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type TestAuthority, testAuthorities, testPolicy } from '../../test/test-directory.ts';
import { testSlot, testVoteNote } from '../../test/test-votes.ts';
import { toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_VOTE_NOTE_BYTES } from './limits.ts';
import { signNote, textOfNote, verifierKeyOf } from './note.ts';
import { VoteExchange } from './vote-exchange.ts';
import { parseVoteIndex, renderVoteIndex } from './vote-index.ts';

type Five = readonly [
  ...[TestAuthority, TestAuthority, TestAuthority],
  ...[TestAuthority, TestAuthority],
];
const five = testAuthorities(5) as unknown as Five;
const [first, second, third, fourth, fifth] = five;
const policy = testPolicy(five);
const slot = testSlot(5);
const [firstEndMs, secondEndMs, lastEndMs] = slot.roundEndsMs as [number, number, number];

const exchangeOf = (signer: TestAuthority): VoteExchange =>
  new VoteExchange({ policy, slot, signer });

function take(exchange: VoteExchange, note: string, now: number): void {
  exchange.hold(exchange.accept(exchange.read(note), now));
}

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof DirectoryError);
    return error.code;
  }
  return 'none';
};

const other = { params: new Map([['mix-ms', 7]]) };
const another = { params: new Map([['mix-ms', 8]]) };

test('who accepts a vote adds its own signature', () => {
  const exchange = exchangeOf(first);
  take(exchange, testVoteNote(second), firstEndMs);
  const [entry] = exchange.index();
  assert.equal(entry?.signatures, 2);
  assert.equal(entry.author, verifierKeyOf(second));
  const shown = exchange.noteOf(entry.digest) ?? '';
  assert.equal(exchangeOf(third).read(shown).signatures, 2);
});

test.each([
  [1, firstEndMs, 'none'],
  [1, firstEndMs + 1, 'late'],
  [2, secondEndMs, 'none'],
  [2, secondEndMs + 1, 'late'],
  [3, lastEndMs, 'none'],
  [5, lastEndMs + 1, 'late'],
])('with %i signatures at %i a vote is answered %s', (signatures, now, code) => {
  const exchange = exchangeOf(first);
  const note = testVoteNote(second, {}, [third, fourth, fifth, first].slice(0, signatures - 1));
  assert.equal(
    codeOf(() => exchange.accept(exchange.read(note), now)),
    code,
  );
  const { vote } = exchange.read(note);
  const entry = { digest: vote.digest, signatures, author: vote.author };
  assert.equal(exchange.wants(entry, now), code === 'none');
});

test('who voted twice does not count, and a third vote is not taken', () => {
  const exchange = exchangeOf(first);
  take(exchange, testVoteNote(second), firstEndMs);
  take(exchange, testVoteNote(third), firstEndMs);
  assert.equal(exchange.counted().length, 2);
  assert.deepEqual(exchange.equivocations(), []);
  take(exchange, testVoteNote(second, other), firstEndMs);
  const more = exchange.read(testVoteNote(second, another));
  assert.equal(
    codeOf(() => exchange.accept(more, firstEndMs)),
    'equivocated',
  );
  assert.deepEqual(
    exchange.counted().map(({ author }) => author),
    [verifierKeyOf(third)],
  );
  const [proof] = exchange.equivocations();
  assert.equal(new Set(proof?.map(textOfNote)).size, 2);
});

test('a vote that is not by its author, or of a stranger, or spoilt, is refused', () => {
  const exchange = exchangeOf(first);
  const [stranger] = testAuthorities(6).slice(5);
  assert.ok(stranger !== undefined);
  const text = textOfNote(testVoteNote(second));
  const refused = [
    ['too-few-signatures', signNote(text, third, fourth)],
    ['unknown-authority', testVoteNote(stranger)],
    ['bad-signature', testVoteNote(second).replace('mix-ms=500', 'mix-ms=501')],
    ['duplicate-signature', signNote(text, second, second)],
    ['wrong-network', testVoteNote(second, { network: 'mainnet' })],
    ['wrong-slot', testVoteNote(second, { epoch: slot.epoch - 1 })],
    ['malformed', 'noise'],
    ['too-large', 'a'.repeat(MAX_VOTE_NOTE_BYTES + 1)],
  ] as const;
  for (const [code, note] of refused) {
    assert.equal(
      codeOf(() => exchange.read(note)),
      code,
    );
  }
});

test('signatures of strangers are not passed on, so that no note grows too large for others', () => {
  const exchange = exchangeOf(first);
  const strangers = testAuthorities(64).slice(5);
  const note = signNote(textOfNote(testVoteNote(second)), second, ...strangers, third, fourth);
  take(exchange, note, firstEndMs);
  const [entry] = exchange.index();
  assert.ok(entry !== undefined);
  const shown = exchange.noteOf(entry.digest) ?? '';
  assert.equal(shown.match(/^— /gm)?.length, 4);
});

test('a vote that comes back with our signature is not signed again', () => {
  const exchange = exchangeOf(first);
  take(exchange, testVoteNote(first, {}, [second]), firstEndMs);
  assert.ok(exchange.hasOwnVote());
  assert.equal(exchange.index()[0]?.signatures, 2);
});

test('an index comes back as it was, and nothing else is read', () => {
  const exchange = exchangeOf(first);
  take(exchange, testVoteNote(second), firstEndMs);
  take(exchange, testVoteNote(third), firstEndMs);
  const text = renderVoteIndex(exchange.index());
  assert.deepEqual(parseVoteIndex(Buffer.from(text)), exchange.index());
  const [, line = ''] = text.split('\n');
  for (const wrong of [
    '',
    text.slice(1),
    text.slice(0, -1),
    `${text}\n`,
    text + `${line}\n`.repeat(127),
  ]) {
    assert.equal(
      codeOf(() => parseVoteIndex(Buffer.from(wrong))),
      'malformed',
    );
  }
});

/** What a liar shows one honest authority in one round: a vote of a liar, signed by some liars. */
const lie = fc.record({
  round: fc.nat(2),
  to: fc.nat(2),
  author: fc.constantFrom(fourth, fifth),
  params: fc.nat(2),
  cosigners: fc.subarray([fourth, fifth]),
  /** With the signatures of honest authorities besides that it has been shown. */
  borrows: fc.boolean(),
});

test('whatever two of five authorities show to whom and when, the others count the same votes', () => {
  const honest = [first, second, third];
  fc.assert(
    fc.property(fc.array(lie, { maxLength: 12 }), (lies) => {
      const exchanges = honest.map(exchangeOf);
      for (const [index, exchange] of exchanges.entries()) {
        take(exchange, testVoteNote(honest[index] ?? first), slot.votesMs);
      }
      for (const [round, roundEndMs] of slot.roundEndsMs.entries()) {
        // All see what was shown when the round began, and last of all what the liars show them.
        const shown = exchanges.map((exchange) =>
          exchange.index().map((entry) => ({ entry, note: exchange.noteOf(entry.digest) ?? '' })),
        );
        const all = shown.flat();
        for (const exchange of exchanges) {
          for (const { entry, note } of all) {
            if (exchange.wants(entry, roundEndMs)) take(exchange, note, roundEndMs);
          }
        }
        for (const { to, author, params, cosigners, borrows } of lies.filter(
          (each) => each.round === round,
        )) {
          const changes = { params: new Map([['mix-ms', params]]) };
          const others = cosigners.filter((cosigner) => cosigner !== author);
          const forged = testVoteNote(author, changes, others);
          const text = textOfNote(forged);
          const known = all.map(({ note }) => note).find((note) => textOfNote(note) === text);
          const exchange = exchanges[to];
          try {
            if (exchange) take(exchange, (borrows ? known : undefined) ?? forged, roundEndMs);
          } catch (error) {
            assert.ok(error instanceof DirectoryError);
          }
        }
      }
      const counted = exchanges.map((exchange) =>
        exchange
          .counted()
          .map(({ digest }) => toHex(digest))
          .sort(),
      );
      assert.deepEqual(counted[1], counted[0]);
      assert.deepEqual(counted[2], counted[0]);
      assert.ok((counted[0]?.length ?? 0) >= 3);
    }),
    { numRuns: 25 },
  );
});
