import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testContent,
  testDescriptor,
  testKeyConfig,
  testPolicy,
} from '../../test/test-directory.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { type Logger, silent } from '../base/log.ts';
import {
  type Consensus,
  type ConsensusContent,
  parseConsensus,
  renderConsensus,
} from '../directory/consensus.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { listNodes } from '../directory/list-nodes.ts';
import { writeDurably } from '../io/durable-file.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { waitUntil } from '../io/wait-until.ts';
import { followConsensusFile } from './consensus-file.ts';
import type { NodeDirectory } from './node-directory.ts';

const AUTHORITIES = testAuthorities(3);
const POLICY = testPolicy(AUTHORITIES);
const NO_DIGEST = new Uint8Array(32);

const first = testConsensus();
const second = consensusAfter(first);
const third = consensusAfter(second);

function consensusAfter(previous: Consensus, changes: Partial<ConsensusContent> = {}): Consensus {
  return parseConsensus(renderConsensus(nextContent(previous, changes)));
}

function noteOf(consensus: Consensus): string {
  return signedBy(consensus, AUTHORITIES);
}

interface Fixture extends AsyncDisposable {
  readonly warnings: readonly string[];
  nowSeconds: number;
  open(): Promise<NodeDirectory>;
  write(note: string): Promise<void>;
}

async function fixture(): Promise<Fixture> {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'consensus');
  const keptPath = join(directory.path, 'kept');
  const warnings: string[] = [];
  const log: Logger = {
    ...silent,
    warn: (message, fields) => warnings.push(`${message}: ${String(fields?.['reason'] ?? '')}`),
  };
  const files: Fixture = {
    warnings,
    nowSeconds: TEST_TIME,
    open: () =>
      followConsensusFile({
        path,
        keptPath,
        policy: POLICY,
        clock: () => files.nowSeconds * 1000,
        log,
      }),
    write: (note) => writeDurably(path, note),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
  return files;
}

/** Waits until the file has been looked at again with this outcome. */
async function until(isSo: () => boolean): Promise<void> {
  await waitUntil(() => isSo() || undefined, {
    what: 'the file to be read',
    timeoutMs: 5000,
    intervalMs: 20,
    signal: AbortSignal.timeout(6000),
  });
}

test.concurrent('what the file holds is served until it expires', async () => {
  await using files = await fixture();
  await files.write(noteOf(first));
  await using directory = await files.open();
  assert.equal(directory.current()?.epoch, 1);
  const latest = directory.noteOf(DIRECTORY_KINDS.latestConsensus, NO_DIGEST);
  assert.equal(fromUtf8(latest ?? new Uint8Array()), noteOf(first));
  assert.deepEqual(directory.noteOf(DIRECTORY_KINDS.consensus, first.hash), latest);
  assert.equal(directory.noteOf(DIRECTORY_KINDS.consensus, NO_DIGEST), undefined);
  assert.equal(directory.noteOf(77, NO_DIGEST), undefined);
  files.nowSeconds = first.validUntil;
  assert.equal(directory.current(), undefined);
  assert.equal(directory.noteOf(DIRECTORY_KINDS.latestConsensus, NO_DIGEST), undefined);
  assert.deepEqual(directory.noteOf(DIRECTORY_KINDS.consensus, first.hash), latest);
});

test.concurrent('a node without a consensus file waits for one', async () => {
  await using files = await fixture();
  await using directory = await files.open();
  assert.equal(directory.current(), undefined);
  await files.write(noteOf(first));
  await until(() => directory.current()?.epoch === 1);
  assert.deepEqual(files.warnings, []);
});

test.concurrent('a node serves its own descriptor', async () => {
  await using files = await fixture();
  await using directory = await files.open();
  const note = Uint8Array.of(1, 2, 3);
  directory.addDescriptor(first.hash, note);
  assert.equal(directory.noteOf(DIRECTORY_KINDS.descriptor, first.hash), note);
  assert.equal(directory.noteOf(DIRECTORY_KINDS.consensus, first.hash), undefined);
});

test.concurrent(
  'the next consensus replaces the one before, which is still served by its hash',
  async () => {
    await using files = await fixture();
    await files.write(noteOf(first));
    await using directory = await files.open();
    files.nowSeconds = second.validAfter;
    await files.write(noteOf(second));
    await until(() => directory.current()?.epoch === 2);
    assert.ok(directory.noteOf(DIRECTORY_KINDS.consensus, first.hash));
    assert.deepEqual(files.warnings, []);
  },
);

test.concurrent('a round that was missed is made up for by a later epoch', async () => {
  await using files = await fixture();
  await files.write(noteOf(first));
  await using directory = await files.open();
  files.nowSeconds = third.validAfter;
  await files.write(noteOf(third));
  await until(() => directory.current()?.epoch === 3);
  assert.deepEqual(files.warnings, ['consensuses were missed: ']);
});

test.concurrent('a missed round does not let a key be swapped', async () => {
  await using files = await fixture();
  await files.write(noteOf(first));
  await using directory = await files.open();
  const keyOf = (epoch: number) => ({ epoch, keyConfig: testKeyConfig('swapped', epoch) });
  const keyConfigs = [keyOf(20_788), keyOf(20_789)] as const;
  const descriptors = [testDescriptor('a', { keyConfigs })];
  const nodes = listNodes({ descriptors, weightOf: () => 100, validAfter: TEST_TIME });
  files.nowSeconds = third.validAfter;
  await files.write(noteOf(consensusAfter(second, { nodes })));
  await until(() => files.warnings.length > 0);
  assert.match(files.warnings[0] ?? '', /^the consensus file is refused: another key of an old/);
  assert.equal(directory.current()?.epoch, 1);
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['of too few authorities', signedBy(third, AUTHORITIES.slice(0, 1)), /only 1 authorities signed/],
  ['that is older', noteOf(first), /older epoch/],
  [
    'that is another one of its epoch',
    noteOf(consensusAfter(first, { params: new Map() })),
    /same epoch/,
  ],
  ['that follows another', noteOf(consensusAfter(second, { prev: NO_DIGEST })), /follows another/],
  ['of another network', signedBy(testContent({ network: 'mainnet' }), AUTHORITIES), /of mainnet/],
  ['that is no note', 'garbage\n', /./],
];

for (const [which, note, reason] of REFUSED) {
  test.concurrent(`a consensus ${which} is refused and changes nothing`, async () => {
    await using files = await fixture();
    files.nowSeconds = second.validAfter;
    await files.write(noteOf(second));
    await using directory = await files.open();
    files.nowSeconds = third.validAfter;
    await files.write(note);
    await until(() => files.warnings.length > 0);
    assert.match(files.warnings[0] ?? '', reason);
    assert.deepEqual(directory.current()?.hash, second.hash);
    await files.write(noteOf(third));
    await until(() => directory.current()?.epoch === 3);
    assert.equal(files.warnings.length, 1);
  });
}

test.concurrent('a consensus that comes early is accepted when its time comes', async () => {
  await using files = await fixture();
  await files.write(noteOf(first));
  await using directory = await files.open();
  await files.write(noteOf(second));
  await until(() => files.warnings.length > 0);
  assert.equal(directory.current()?.epoch, 1);
  files.nowSeconds = second.validAfter;
  await until(() => directory.current()?.epoch === 2);
  assert.equal(files.warnings.length, 1);
});

test.concurrent('a restart cannot be used to roll back', async () => {
  await using files = await fixture();
  files.nowSeconds = second.validAfter;
  await files.write(noteOf(second));
  await (await files.open())[Symbol.asyncDispose]();
  await files.write(noteOf(first));
  await using directory = await files.open();
  assert.match(files.warnings[0] ?? '', /older epoch/);
  assert.equal(directory.current()?.epoch, 2);
});
