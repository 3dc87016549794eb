import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { openAuthorityFiles } from '../src/authority/authority-files.ts';
import { HeldNodes } from '../src/authority/held-nodes.ts';
import { NewestConsensus } from '../src/authority/newest-consensus.ts';
import { takePut } from '../src/authority/take-put.ts';
import { toBase64, utf8 } from '../src/base/bytes.ts';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { acceptConsensus } from '../src/directory/accept-consensus.ts';
import { parseConsensus, renderConsensus } from '../src/directory/consensus.ts';
import { type DescriptorStatement, signDescriptor } from '../src/directory/descriptor.ts';
import { DirectoryError } from '../src/directory/directory-error.ts';
import { joinNotes, signNote, textOfNote } from '../src/directory/note.ts';
import { signingKeyFromSeed } from '../src/directory/signing-key.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { PUT_KINDS } from '../src/relay/frame-payload.ts';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testContent,
  testDescriptor,
  testDescriptorNote,
  testPolicy,
  testSeed,
  testStatement,
} from './test-directory.ts';
import { testSlot } from './test-votes.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const NOW = TEST_TIME * 1000;
const authorities = testAuthorities(5);
const policy = testPolicy(authorities);
const identity = signingKeyFromSeed(testSeed('identity mallory'));
const onion = signingKeyFromSeed(testSeed('onion mallory'));
const statement = (changes: Partial<DescriptorStatement> = {}): DescriptorStatement =>
  testStatement('mallory', changes);
const own = signDescriptor(statement(), { identity, onion });
const { nodeId } = testDescriptor('mallory');

/** What mallory signs, of whatever is in it. */
const signed = (change: (text: string) => string): string =>
  signNote(change(textOfNote(own)), { name: `sotto/${nodeId}`, key: identity });
const lineOf = (note: string, name: string): string =>
  new RegExp(`^${name} .*`, 'm').exec(note)?.[0] ?? assert.fail(name);
const victim = testDescriptorNote('victim');

function unasked(): never {
  throw new Error('only descriptors are brought');
}

/** The authority's door: it holds the node victim, and what mallory said an hour ago. */
const scope = new Scope();
let bring: (note: string) => Promise<string>;

beforeAll(async () => {
  const { path } = scope.use(await makeTemporaryDirectory());
  const store = scope.use(await openAuthorityFiles(join(path, 'state'), policy));
  const directory = join(path, 'nodes');
  const nodes = await HeldNodes.open({
    directory,
    genesis: GENESIS,
    now: NOW,
    slotAt: () => testSlot(5),
  });
  const newest = await NewestConsensus.open({ policy, store, log: silent });
  bring = async (note) => {
    const put = { id: 0, kind: PUT_KINDS.descriptor, bytes: utf8(note) };
    const { verdict, text } = await takePut(put, {
      ...{ nodes, newest, clock: () => NOW },
      bonds: { take: unasked },
      keptLog: { take: unasked },
      fetchEvidence: unasked,
      standing: { stakesOf: () => [], isThere: () => true },
      onDescriptor: () => undefined,
    });
    return `${verdict} ${text.split(':')[0] ?? ''}`;
  };
  assert.deepEqual([await bring(victim), await bring(own)], ['taken ', 'taken ']);
});
afterAll(() => scope[Symbol.asyncDispose]());

const small = toBase64(Uint8Array.of(1, ...new Uint8Array(31)));
/** 1 as p + 1: a second encoding. */
const second = toBase64(Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f));
const withKey = (key: string) => (text: string) =>
  text.replace(/^reply-key \S+/m, `reply-key ${key}`);
const filled = (bytes: number): string => {
  const room = bytes - utf8(signed((text) => `${text}pad \n`)).length;
  return signed((text) => `${text}pad ${'x'.repeat(room)}\n`);
};

const descriptors = [
  [
    "another's onion",
    signed((text) => text.replace(/^onion .*/m, lineOf(victim, 'onion'))),
    'bad-onion-signature',
  ],
  [
    "another's identity",
    signed((text) =>
      text
        .replace(/^node .*/m, lineOf(victim, 'node'))
        .replace(/^identity .*/m, lineOf(victim, 'identity')),
    ),
    'unsigned',
  ],
  [
    "another's node id",
    signed((text) => text.replace(/^node .*/m, lineOf(victim, 'node'))),
    'wrong-node-id',
  ],
  [
    'an expired time',
    signDescriptor(statement({ expires: TEST_TIME }), { identity, onion }),
    'expired',
  ],
  ['8 KiB + 1', filled(8193), 'too-large'],
  ['duplicate lines', signed((text) => `${text}${lineOf(own, 'roles')}\n`), 'duplicate-line'],
  ['a key of small order', signed(withKey(small)), 'weak-key'],
  [
    'an HPKE key swapped after signing',
    own.replace(lineOf(own, 'hpke'), lineOf(victim, 'hpke')),
    'bad-signature',
  ],
  [
    'an HPKE key swapped after it was announced',
    signDescriptor(
      statement({ published: TEST_TIME, keyConfigs: testStatement('victim').keyConfigs }),
      {
        identity,
        onion,
      },
    ),
    'swapped-key',
  ],
  [
    'a time before that of the newest',
    signDescriptor(statement({ published: TEST_TIME - 3601 }), { identity, onion }),
    'replayed',
  ],
  [
    'the chain of another network',
    signed((text) => text.replace(GENESIS, '0'.repeat(64))),
    'wrong-network',
  ],
] as const;

test.each(descriptors)('a descriptor with %s is refused at the door', async (_, note, code) => {
  assert.equal(await bring(note), `refused ${code}`);
});

test('a key in a second encoding is refused as one of small order is', async () => {
  assert.equal(await bring(signed(withKey(second))), 'refused weak-key');
});

test('a descriptor of the future is not taken now', async () => {
  const note = signDescriptor(statement({ published: TEST_TIME + 601 }), { identity, onion });
  assert.equal(await bring(note), 'later not-yet-valid');
});

test('a stolen family is told and does not count', async () => {
  const family = [testDescriptor('victim').nodeId];
  const note = signDescriptor(statement({ published: TEST_TIME, family }), { identity, onion });
  assert.equal(await bring(note), 'taken one-sided-family');
});

const [one, two, three] = authorities;
assert.ok(one && two && three);
const quorum = [one, two, three];
const held = testConsensus();
const again = parseConsensus(renderConsensus(testContent({ params: new Map([['mix-ms', 1]]) })));

const consensuses = [
  ['signatures below the threshold', signedBy(nextContent(held), [one, two]), 'too-few-signatures'],
  [
    'a signer counted twice',
    joinNotes([signedBy(nextContent(held), [one, two]), signedBy(nextContent(held), [one])]),
    'duplicate-signature',
  ],
  [
    'an epoch before that of the newest',
    signedBy(testContent({ epoch: 0 }), quorum),
    'rolled-back',
  ],
  ['another `prev` than the newest', signedBy(nextContent(again), quorum), 'forked'],
] as const;

test.each(consensuses)('a consensus with %s is refused by a client', (_, note, code) => {
  const now = (held.freshUntil + 1) * 1000;
  assert.throws(
    () => acceptConsensus({ note, policy, now, previous: held }),
    (error) => error instanceof DirectoryError && error.code === code,
  );
});

test('the consensus that these are made of is accepted', () => {
  const now = (held.freshUntil + 1) * 1000;
  const note = signedBy(nextContent(held), quorum);
  assert.equal(acceptConsensus({ note, policy, now, previous: held }).epoch, 2);
});

test('each has a code of its own', () => {
  const codes = [...descriptors, ...consensuses].map(([, , code]) => code);
  const all = [...codes, 'not-yet-valid', 'one-sided-family'];
  assert.equal(new Set(all).size, all.length);
});
