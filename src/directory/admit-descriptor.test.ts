import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { TEST_TIME, testDescriptor, testKeyConfig } from '../../test/test-directory.ts';
import { type Admission, admitDescriptor, checkFamily, isLeaving } from './admit-descriptor.ts';
import { type Descriptor, parseDescriptor } from './descriptor.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_NODES } from './limits.ts';
import { describeNode } from './list-nodes.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const DAY = 86_400;
const TODAY = 20_788;

function refusal(
  descriptor: Descriptor,
  changes: Partial<Admission> = {},
  newest: (nodeId: string) => Descriptor | undefined = () => undefined,
): string {
  const admission = {
    genesis: GENESIS,
    now: TEST_TIME * 1000,
    held: undefined,
    listed: undefined,
    nodeAt: () => undefined,
    isFull: false,
    ...changes,
  };
  try {
    admitDescriptor(descriptor, admission);
    checkFamily(descriptor, newest);
  } catch (error) {
    assert.ok(error instanceof DirectoryError);
    return error.code;
  }
  return 'none';
}

const leaving = (published: number): Descriptor =>
  testDescriptor('a', { published, expires: published + 1 });

test('a node that nobody knows is taken, and its next descriptor, and the same one once more', () => {
  const first = testDescriptor('a');
  const second = testDescriptor('a', { published: TEST_TIME - 3599 });
  assert.equal(refusal(first), 'none');
  assert.equal(refusal(second, { held: first }), 'none');
  assert.equal(refusal(second, { held: second, now: (TEST_TIME + 9 * DAY) * 1000 }), 'none');
});

test('an older descriptor is not taken again, nor another one of the same second', () => {
  const held = testDescriptor('a');
  const older = testDescriptor('a', { published: held.published - 1 });
  const other = testDescriptor('a', { limits: { cellsPerSecond: 1, burst: 1 } });
  assert.equal(refusal(older, { held }), 'replayed');
  assert.equal(refusal(other, { held }), 'replayed');
});

test('a node leaves, is not brought back by what it said before, and may come back by itself', () => {
  const held = testDescriptor('a');
  const left = leaving(TEST_TIME - 60);
  assert.ok(isLeaving(left));
  assert.equal(refusal(left, { held }), 'none');
  assert.equal(refusal(held, { held: left }), 'replayed');
  assert.equal(refusal(testDescriptor('a', { published: TEST_TIME }), { held: left }), 'none');
  assert.equal(refusal(leaving(held.published - 1), { held }), 'replayed');
  assert.equal(refusal(left), 'unknown-node');
});

test('clocks may differ by ten minutes, at the turn of a day too', () => {
  const at = (seconds: number): Partial<Admission> => ({ now: seconds * 1000 });
  const ahead = testDescriptor('a', { published: TEST_TIME + 600 });
  assert.equal(refusal(ahead, at(TEST_TIME)), 'none');
  assert.equal(refusal(ahead, at(TEST_TIME - 1)), 'not-yet-valid');
  const tomorrow = testDescriptor('a', {
    published: TEST_TIME - 300,
    keyConfigs: [TODAY, TODAY + 1].map((epoch) => ({
      epoch,
      keyConfig: testKeyConfig('a', epoch),
    })) as unknown as Descriptor['keyConfigs'],
  });
  assert.equal(refusal(tomorrow, at(TEST_TIME - 600)), 'none');
  assert.equal(refusal(tomorrow, at(TEST_TIME - 601)), 'wrong-key-epoch');
  const old = testDescriptor('a', {
    published: TEST_TIME + 2 * DAY - 3600,
    expires: TEST_TIME + 3 * DAY,
  });
  assert.equal(refusal(old, at(TEST_TIME + 2 * DAY + 599)), 'none');
  assert.equal(refusal(old, at(TEST_TIME + 2 * DAY + 600)), 'wrong-key-epoch');
});

test('an expired one is of no use from its second on', () => {
  const descriptor = testDescriptor('a', { expires: TEST_TIME });
  assert.equal(refusal(descriptor, { now: (TEST_TIME - 1) * 1000 }), 'none');
  assert.equal(refusal(descriptor), 'expired');
});

test('a key that was announced cannot be swapped, by the descriptor held or by the consensus', () => {
  const held = testDescriptor('a');
  const swapped = testDescriptor('a', {
    published: TEST_TIME,
    keyConfigs: [
      held.keyConfigs[0],
      { epoch: TODAY + 1, keyConfig: testKeyConfig('swapped', TODAY + 1) },
    ],
  });
  const listed = describeNode(held, { weight: 1, flags: new Set(['Relay']), family: held.nodeId });
  assert.equal(refusal(swapped), 'none');
  assert.equal(refusal(swapped, { held }), 'swapped-key');
  assert.equal(refusal(swapped, { listed }), 'swapped-key');
});

test('two nodes are not at one onion', () => {
  const descriptor = testDescriptor('a');
  const nodeAt = (host: string): string => (host === descriptor.onion.host ? 'b' : 'c');
  assert.equal(refusal(descriptor, { nodeAt }), 'onion-taken');
  assert.equal(refusal(descriptor, { nodeAt: () => descriptor.nodeId }), 'none');
});

test('when there is no place no new node is taken, and those who are here may renew and leave', () => {
  const held = testDescriptor('a');
  const newer = testDescriptor('a', { published: TEST_TIME });
  assert.equal(refusal(held, { isFull: true }), 'full');
  assert.equal(refusal(newer, { isFull: true, held }), 'none');
  assert.equal(refusal(leaving(TEST_TIME), { isFull: true, held }), 'none');
});

test('a family counts when all that a node names name it too; a claim on others is told', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => testDescriptor(name).nodeId) as [
    ...[string, string, string],
  ];
  const familyOf = (name: string, ...family: string[]): Descriptor =>
    testDescriptor(name, { family: family.sort() });
  const claim = familyOf('a', b, c);
  const check = (...held: readonly Descriptor[]) => {
    checkFamily(claim, (id) => held.find(({ nodeId }) => nodeId === id));
  };
  check(familyOf('b', a), familyOf('c', a, b));
  checkFamily(testDescriptor('a'), () => undefined);
  for (const held of [[], [familyOf('b', a)], [familyOf('b', a), familyOf('c', b)]]) {
    assert.throws(
      () => {
        check(...held);
      },
      { code: 'one-sided-family' },
    );
  }
});

interface AdmissionVector {
  readonly note: string;
  readonly genesis: string;
  readonly now: number;
  readonly nodes: number;
  /** Notes of the nodes that are held. */
  readonly held: readonly string[];
  readonly code: string;
}

const VECTORS = new URL('../../spec/vectors/invalid/', import.meta.url);

test.each(readdirSync(VECTORS).filter((name) => name.startsWith('admission-')))(
  '%s is refused with its code',
  (name) => {
    const vector = JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as AdmissionVector;
    const held = vector.held.map((note) => parseDescriptor(note));
    const descriptor = parseDescriptor(vector.note);
    const newest = (id: string) => held.find(({ nodeId }) => nodeId === id);
    const admission = {
      ...vector,
      isFull: vector.nodes >= MAX_NODES,
      held: newest(descriptor.nodeId),
      nodeAt: (host: string) => held.find(({ onion }) => onion.host === host)?.nodeId,
    };
    assert.equal(refusal(descriptor, admission, newest), vector.code);
  },
);
