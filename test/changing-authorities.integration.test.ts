import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { equalBytes, fromUtf8 } from '../src/base/bytes.ts';
import {
  type DirectoryClient,
  type DirectorySource,
  openDirectoryClient,
} from '../src/directory/directory-client.ts';
import { DIRECTORY_KINDS, rangeOf } from '../src/directory/directory-view.ts';
import { EvidenceFiles } from '../src/directory/evidence-files.ts';
import { renderLogProof } from '../src/directory/log-proof.ts';
import { leafHash, MerkleTree } from '../src/directory/merkle-log.ts';
import { digestOfText, textOfNote } from '../src/directory/note.ts';
import type { Policy } from '../src/directory/policy.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import {
  entriesThrough,
  SimulatedAuthorities,
  type SimulatedAuthority,
} from './simulated-authorities.ts';
import { testPolicy } from './test-directory.ts';

const { signal } = new AbortController();
const nothing = new Uint8Array();

type Four = readonly [
  ...[SimulatedAuthority, SimulatedAuthority, SimulatedAuthority, SimulatedAuthority],
];

let scope: Scope;
let network: SimulatedAuthorities;
let anna: SimulatedAuthority;
let ben: SimulatedAuthority;
let cleo: SimulatedAuthority;
let dora: SimulatedAuthority;

beforeEach(() => {
  scope = new Scope();
  network = new SimulatedAuthorities(4);
  [anna, ben, cleo, dora] = network.all as unknown as Four;
});
afterEach(async () => {
  for (const each of network.all) each.kill();
  await scope[Symbol.asyncDispose]();
});

const policyOf = (...members: readonly SimulatedAuthority[]): Policy =>
  testPolicy(members.map(({ key }) => key));

/** All stop and start again with the policy file that names these. */
async function changeTo(...members: readonly SimulatedAuthority[]): Promise<void> {
  for (const each of network.all) each.kill();
  network.policy = policyOf(...members);
  for (const each of members) await each.start();
}

async function clientWith(policy: Policy): Promise<DirectoryClient> {
  const { path } = scope.use(await makeTemporaryDirectory());
  const clock = (): number => network.time.nowMs;
  const evidence = await EvidenceFiles.open(join(path, 'evidence'), policy);
  const file = join(path, 'consensus');
  return openDirectoryClient({ path: file, policy, clock, log: silent, evidence });
}

/** A relay that has what this authority has. */
function relayOf(authority: SimulatedAuthority): DirectorySource {
  const { consensuses } = authority.store;
  const answer = (kind: number, digest: Uint8Array): Uint8Array | undefined => {
    if (kind === DIRECTORY_KINDS.latestConsensus) return consensuses.at(-1);
    if (kind === DIRECTORY_KINDS.logProof) {
      const { from, to } = rangeOf(digest) ?? assert.fail();
      const leaves = entriesThrough(authority.newest).map(leafHash);
      return renderLogProof(new MerkleTree(leaves), from, to);
    }
    return consensuses.find((note) => equalBytes(digestOfText(textOfNote(fromUtf8(note))), digest));
  };
  return {
    name: authority.name,
    fetch: (kind, digest) => Promise.resolve(answer(kind, digest) ?? nothing),
  };
}

/** The slot of the consensus that each of these has when it has asked for a newer one. */
async function held(...clients: readonly DirectoryClient[]): Promise<readonly number[]> {
  const sources = network.all.filter(({ newest }) => newest !== undefined).map(relayOf);
  const first = network.slot(0).epoch;
  return Promise.all(
    clients.map(async (client) => (await client.refresh(sources, signal)).epoch - first),
  );
}

test('from three authorities to four and to three again: old and new policy files go on side by side', async () => {
  const old = await clientWith(policyOf(anna, ben, cleo));
  const middle = await clientWith(policyOf(anna, ben, cleo, dora));
  const newest = await clientWith(policyOf(ben, cleo, dora));

  await changeTo(anna, ben, cleo);
  await network.runThrough(0);
  assert.deepEqual(await held(old), [0]);

  await changeTo(anna, ben, cleo, dora);
  await network.runThrough(1);
  assert.deepEqual(await held(old, middle), [1, 1]);
  ben.kill();
  await network.runThrough(2);
  assert.deepEqual(await held(old, middle), [2, 2]);

  await changeTo(ben, cleo, dora);
  await network.runThrough(3);
  assert.deepEqual(await held(old, middle, newest), [3, 3, 3]);

  ben.kill();
  await network.runThrough(4);
  assert.deepEqual(await held(old, middle, newest), [3, 3, 4]);
  await ben.start();
  await network.runThrough(5);
  assert.deepEqual(await held(old, middle, newest), [5, 5, 5]);
});

test('an old policy file goes on until valid-until when too few of those that it names sign, and then says why', async () => {
  const old = await clientWith(policyOf(anna, ben, cleo));
  const newest = await clientWith(policyOf(ben, cleo, dora));
  await changeTo(anna, ben, cleo);
  await network.runThrough(0);
  await held(old);
  await changeTo(ben, cleo, dora);
  ben.kill();
  for (const index of [1, 2, 3]) {
    await network.runThrough(index);
    assert.deepEqual(await held(old, newest), [0, index]);
  }
  await network.runThrough(4);
  assert.deepEqual(await held(newest), [4]);
  await assert.rejects(held(old), ({ cause }: { cause: AggregateError }) => {
    const codes = cause.errors.map(({ code }: { code: string }) => code);
    assert.deepEqual(codes, ['too-few-signatures', 'too-few-signatures']);
    return true;
  });
});

test('one that is gone is replaced in one step, and those that stay go on with its old policy file', async () => {
  const old = await clientWith(policyOf(anna, ben, cleo));
  await changeTo(anna, ben, cleo);
  await network.runThrough(0);
  cleo.kill();
  await network.runThrough(1);
  await changeTo(anna, ben, dora);
  await network.runThrough(2);
  const newest = await clientWith(network.policy);
  assert.deepEqual(await held(old, newest), [2, 2]);
});

test('authorities do not start with a policy file whose quorum did not sign the newest consensus', async () => {
  await changeTo(anna, ben, cleo);
  await network.runThrough(0);
  cleo.kill();
  await network.runThrough(1);
  await assert.rejects(changeTo(anna, ben, cleo, dora), { code: 'too-few-signatures' });
  await changeTo(anna, ben, cleo);
  await network.runThrough(2);
  await changeTo(anna, ben, cleo, dora);
  await network.runThrough(3);
  assert.equal(dora.newest?.epoch, network.slot(3).epoch);
});
