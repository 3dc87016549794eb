import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { testAuthorities, testPolicy, testSeed } from '../../test/test-directory.ts';
import { onionAddressOf } from '../tor/onion-address.ts';
import { isQuorum, parsePolicy, renderPolicy } from './policy.ts';

const policy = testPolicy(testAuthorities(5));
const verifiers = policy.authorities.map(({ verifier }) => verifier);
const names = policy.authorities.map(({ name }) => name);
const text = renderPolicy(policy);
const onion = onionAddressOf(testSeed('onion'));
const misread = `${onion.startsWith('a') ? 'b' : 'a'}${onion.slice(1)}`;

/** Functions differ from key to key; the rest is compared. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a policy file comes back, with onions, groups, quorum and relays', () => {
  const [first, ...others] = policy.authorities;
  assert.ok(first);
  const full = {
    ...policy,
    authorities: [{ ...first, onion: { host: onion, port: 50_010 } }, ...others],
    groups: [
      { name: 'west', threshold: 2, members: names.slice(0, 3) },
      { name: 'all', threshold: 2, members: ['west', names[4] ?? ''] },
    ],
    quorum: 'all',
    bootstrap: [{ host: onion, port: 50_010 }],
  };
  assert.deepEqual(plain(parsePolicy(renderPolicy(full))), plain(full));
});

test('comments, blank lines and extra spaces are passed over', () => {
  const spaced = `# für uns\n\n${text.replaceAll(' ', ' \t')}`;
  assert.deepEqual(plain(parsePolicy(spaced)), plain(policy));
});

test.each([1, 2, 3, 4, 5, 6, 7])('of %i authorities more than half must sign', (count) => {
  const all = testPolicy(testAuthorities(count));
  const keys = all.authorities.map(({ verifier }) => verifier);
  const enough = keys.findIndex((_, index) => isQuorum(all, keys.slice(0, index + 1))) + 1;
  assert.equal(enough, Math.floor(count / 2) + 1);
  assert.ok(!isQuorum(all, []));
});

test('a group can ask for more than the majority and never for less', () => {
  const asking = (threshold: number) => ({
    ...policy,
    groups: [{ name: 'g', threshold, members: names }],
    quorum: 'g',
  });
  assert.ok(!isQuorum(asking(4), verifiers.slice(0, 3)));
  assert.ok(isQuorum(asking(4), verifiers.slice(0, 4)));
  assert.ok(!isQuorum(asking(1), verifiers.slice(0, 2)));
});

test('a group of groups is reached through its members', () => {
  const nested = parsePolicy(
    `${text}group west 1 ${names[0] ?? ''} ${names[1] ?? ''}\n` +
      `group east all ${names[2] ?? ''} ${names[3] ?? ''}\ngroup both 2 west east\nquorum both\n`,
  );
  const keys = nested.authorities.map(({ verifier }) => verifier);
  assert.ok(isQuorum(nested, keys.slice(1, 4)));
  assert.ok(
    !isQuorum(
      nested,
      [keys[0], keys[1], keys[2], keys[4]].filter((key) => key !== undefined),
    ),
  );
});

const GROUP = `${text}group g 1 ${names[0] ?? ''}\n`;
const [witness = ''] = /^witness .*$/m.exec(text) ?? [];
test.each([
  ['an unknown keyword', `${text}log x\n`, 'line 7'],
  ['a witness without a key', `${text}witness x\n`, 'line 7'],
  ['a witness twice', `${text}${witness}\n`, 'line 7'],
  ['a key under two names', `${text}${witness.replace('authority-1', 'other')}\n`, 'same key'],
  ['a damaged key', text.replace(/\+A/, '+B'), 'line 2'],
  ['a group of no one', `${text}group g 1\n`, 'line 7'],
  ['a group above its members', `group g 1 ${names[0] ?? ''}\n${text}`, 'line 1'],
  ['a group that asks for more than it has', `${text}group g 2 ${names[0] ?? ''}\n`, 'line 7'],
  ['a group that asks for none', `${text}group g 0 ${names[0] ?? ''}\n`, 'line 7'],
  ['a member twice', `${text}group g 1 ${`${names[0] ?? ''} `.repeat(2)}\n`, 'line 7'],
  ['a quorum of none', `${text}quorum none\n`, 'line 7'],
  ['two quorums', `${text}${`quorum ${names[0] ?? ''}\n`.repeat(2)}`, 'line 8'],
  ['an authority above its witness', `authority ${names[0] ?? ''} ${onion}:1\n${text}`, 'line 1'],
  ['an authority that is a group', `${GROUP}authority g ${onion}:1\n`, 'line 8'],
  [
    'two onions of an authority',
    `${text}${`authority ${names[0] ?? ''} ${onion}:1\n`.repeat(2)}`,
    'line 8',
  ],
  [
    'one onion for two authorities',
    `${text}${names
      .slice(0, 2)
      .map((name) => `authority ${name} ${onion}:1\n`)
      .join('')}`,
    'line 8',
  ],
  [
    'an authority at an onion with a letter misread',
    `${text}authority ${names[0] ?? ''} ${misread}:1\n`,
    'line 7',
  ],
  ['a relay at an onion with a letter misread', `${text}relay ${misread}:1\n`, 'line 7'],
  ['an authority that is no onion', `${text}authority ${names[0] ?? ''} 127.0.0.1:1\n`, 'line 7'],
  ['a relay that is no onion', `${text}relay example.org:50010\n`, 'line 7'],
  ['a relay at port 0', `${text}relay ${onion}:0\n`, 'line 7'],
  ['two networks', `${text}network signet\n`, 'line 7'],
  [
    'a name that hides what follows',
    text.replaceAll('witness authority-1', 'witness a\u001b[8m'),
    'line 2 of the policy: only printable',
  ],
  [
    'a name that moves the cursor',
    text.replaceAll('witness authority-1', 'witness a\u009b2K'),
    'line 2 of the policy: only printable',
  ],
  [
    'a name that turns the line round',
    text.replaceAll('witness authority-1', 'witness a\u202e'),
    'line 2 of the policy: only printable',
  ],
  [
    'a name with what nobody sees',
    text.replaceAll('witness authority-1', 'witness a\u200b'),
    'line 2 of the policy: only printable',
  ],
  [
    'a name of other letters',
    text.replaceAll('witness authority-1', 'witness \u0430uthority-1'),
    'line 2 of the policy: only printable',
  ],
  [
    'an unprintable name that is not known',
    `${text}quorum \u001b[2K\n`,
    'line 7 of the policy: only printable',
  ],
  [
    'an unprintable key name',
    text.replace('sotto/authority-1', 'sotto/\u001b[8m'),
    'line 2 of the policy: only printable',
  ],
  ['no network', text.replace(/^network.*\n/, ''), 'no network'],
  ['no witness', 'network regtest\n', 'no witness'],
])('a policy with %s is refused and says where', (_, changed, where) => {
  assert.throws(() => parsePolicy(changed), { name: 'UserError', message: new RegExp(where) });
});

test('a policy has no more witnesses than a note has room for signatures', () => {
  const most = renderPolicy(testPolicy(testAuthorities(64)));
  assert.equal(parsePolicy(most).authorities.length, 64);
  const many = renderPolicy(testPolicy(testAuthorities(65)));
  assert.throws(() => parsePolicy(many), { name: 'UserError', message: /line 66 .* 64 witnesses/ });
});

test('noise is refused with an error for the operator', () => {
  fc.assert(
    fc.property(fc.string(), (noise) => {
      assert.throws(() => parsePolicy(noise), { name: 'UserError' });
    }),
  );
});
