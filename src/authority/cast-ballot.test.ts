import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import {
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testDescriptor,
  testDescriptorNote,
  testPolicy,
  testSeed,
} from '../../test/test-directory.ts';
import { testSlot } from '../../test/test-votes.ts';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { DIRECTORY_KINDS, rangeOf } from '../directory/directory-view.ts';
import { type Descriptor } from '../directory/descriptor.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { leafHash, logRoot } from '../directory/merkle-log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { type BallotParts, castBallot } from './cast-ballot.ts';
import { openConsensusLog } from '../directory/consensus-log.ts';
import { HeldNodes } from './held-nodes.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const slot = testSlot(5);

let scope: Scope;
let parts: BallotParts;

beforeEach(async () => {
  scope = new Scope();
  const { path } = scope.use(await makeTemporaryDirectory());
  const now = TEST_TIME * 1000;
  const nodes = await HeldNodes.open({
    directory: join(path, 'nodes'),
    genesis: GENESIS,
    now,
    slotAt: () => slot,
  });
  for (const name of ['a', 'b']) {
    const roles = new Set(name === 'a' ? (['relay'] as const) : (['gateway'] as const));
    await nodes.admit(utf8(testDescriptorNote(name, { roles })), {
      ...{ now, consensus: undefined },
      standing: { stakesOf: () => [], isThere: () => true },
    });
  }
  const consensusLog = scope.use(await openConsensusLog(join(path, 'log')));
  const policy = testPolicy(testAuthorities(5));
  const relay = testDescriptor('a').nodeId;
  const prober = {
    isRunning: ({ nodeId }: Pick<Descriptor, 'nodeId'>) => nodeId === relay,
    isStable: ({ nodeId }: Pick<Descriptor, 'nodeId'>) => nodeId === relay,
  };
  const bonds = { satsOf: ({ nodeId }: Descriptor) => (nodeId === relay ? 7 : 0) };
  const params = new Map([['mix-ms', 500]]);
  parts = { policy, params, nodes, bonds, prober, consensusLog, peers: [] };
});
afterEach(() => scope[Symbol.asyncDispose]());

/** Another authority with these entries in its log. */
function peerWith(entries: readonly Uint8Array[]): DirectorySource {
  return {
    name: 'peer',
    fetch(kind, digest) {
      assert.equal(kind, DIRECTORY_KINDS.logEntries);
      const { from, to } = rangeOf(digest) ?? { from: 0, to: 0 };
      return Promise.resolve(concatBytes(...entries.slice(from, to)));
    },
  };
}

test('the first ballot has an empty log, named alike by all authorities of the network', async () => {
  const ballot = await castBallot(slot, undefined, parts);
  assert.deepEqual([ballot.log.size, ballot.log.root], [0, logRoot([])]);
  const [first, ...others] = parts.policy.authorities;
  assert.ok(first);
  const turned = { ...parts.policy, authorities: [...others, first] };
  assert.deepEqual(
    (await castBallot(slot, undefined, { ...parts, policy: turned })).log,
    ballot.log,
  );
  const fewer = { ...parts.policy, authorities: others };
  const { log } = await castBallot(slot, undefined, { ...parts, policy: fewer });
  assert.notEqual(log.origin, ballot.log.origin);
});

test('nodes are listed with their bonds and the flags of their roles, and of what was seen of them', async () => {
  const { nodes, params } = await castBallot(slot, undefined, parts);
  const flags = nodes.map((node) => [...node.flags].join());
  assert.deepEqual(flags.toSorted(), ['Gateway', 'Relay,Running,Stable']);
  assert.deepEqual(nodes.map(({ bond, flags }) => [bond, flags.has('Relay')]).toSorted(), [
    [0, false],
    [7, true],
  ]);
  assert.equal(params.get('mix-ms'), 500);
});

test('an authority that missed consensuses has their hashes from one that did not, or no ballot', async () => {
  const entries = [1, 2, 3].map((index) => testSeed(`entry ${index}`));
  const root = logRoot(entries.map(leafHash));
  const previous = testConsensus({ log: { origin: 'sotto/test', size: 3, root } });
  await assert.rejects(castBallot(slot, previous, parts), /nobody has the log/);
  const peers = [peerWith([]), peerWith(entries)];
  const { log } = await castBallot(slot, previous, { ...parts, peers });
  assert.equal(log.origin, 'sotto/test');
  assert.equal(log.size, 4);
  assert.deepEqual(log.root, logRoot([...entries, previous.hash].map(leafHash)));
});
