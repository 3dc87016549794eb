import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'vitest';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testPolicy,
  testSeed,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { silent } from '../base/log.ts';
import type { Consensus, ConsensusNode } from '../directory/consensus.ts';
import { DIRECTORY_KINDS, sizeDigest } from '../directory/directory-view.ts';
import { leafHash, logRoot } from '../directory/merkle-log.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { waitUntil } from '../io/wait-until.ts';
import { PUT_KINDS, type Taken } from '../relay/frame-payload.ts';
import type { DirectoryPeer } from './directory-peer.ts';
import { followDirectory } from './follow-directory.ts';
import { startWitness } from './witness.ts';

const AUTHORITIES = testAuthorities(3);
const policy = testPolicy(AUTHORITIES);
const key = signingKeyFromSeed(testSeed('reply a'));
const running: readonly ConsensusNode[] = testConsensus().nodes.map((node) => ({
  ...node,
  flags: new Set([...node.flags, 'Running'] as const),
}));
const self = running.find(({ replyKey }) => toHex(replyKey.bytes) === toHex(key.publicKey));
assert.ok(self);
const { nodeId } = self;
const logOf = (...before: readonly Consensus[]) => ({
  origin: 'sotto/regtest/test',
  size: before.length,
  root: logRoot(before.map(({ hash }) => leafHash(hash))),
});
/** Fresh for a second, valid for an hour. */
const timesOf = (validAfter: number) => ({
  validAfter,
  freshUntil: validAfter + 1,
  validUntil: validAfter + 3600,
});
const first = testConsensus({ nodes: running, log: logOf(), ...timesOf(TEST_TIME) });
const next = { ...timesOf(TEST_TIME + 1), log: logOf(first) };
const second = testConsensus(nextContent(first, { ...next, nodes: running }));
const fork = testConsensus(nextContent(first, { ...next, nodes: [] }));
const noteOf = (consensus: Consensus): Uint8Array => utf8(signedBy(consensus, AUTHORITIES));

let scope: Scope;
beforeEach(() => (scope = new Scope()));
afterEach(() => scope[Symbol.asyncDispose]());

/** A node, and one authority that has these consensuses and is brought things. */
async function node(verdicts: readonly Taken['verdict'][] = []) {
  const state = { held: [first] as readonly Consensus[], nowSeconds: first.validAfter };
  const brought: { kind: number; text: string }[] = [];
  const authority: DirectoryPeer = {
    name: 'authority',
    fetch: (kind, digest) => {
      const entries = state.held.map(({ hash }) => hash);
      if (kind === DIRECTORY_KINDS.logProof) return Promise.resolve(proofOf(entries));
      const found =
        kind === DIRECTORY_KINDS.latestConsensus
          ? state.held.at(-1)
          : state.held.find(({ hash }) => toHex(hash) === toHex(digest));
      return Promise.resolve(found === undefined ? new Uint8Array() : noteOf(found));
    },
    put: (kind, bytes) => {
      const verdict = verdicts[brought.length] ?? 'taken';
      brought.push({ kind, text: fromUtf8(bytes) });
      return Promise.resolve({ verdict, text: '' });
    },
  };
  const { path } = scope.use(await makeTemporaryDirectory());
  const clock = (): number => state.nowSeconds * 1000;
  const directory = scope.use(
    await followDirectory({
      ...{ dataDirectory: path, policy, clock, log: silent, startMs: 1 },
      sources: () => [authority],
    }),
  );
  const { nodeLog } = directory;
  assert.ok(nodeLog);
  scope.use(
    startWitness({
      ...{ nodeId, signer: key, directory, nodeLog, clock, log: silent, lookMs: 5 },
      authorities: [authority],
      sources: () => [authority],
    }),
  );
  return { state, brought, directory, nodeLog };
}

/** That the log of one entry begins with that of none, and has this entry: no hashes at all. */
function proofOf(entries: readonly Uint8Array[]): Uint8Array {
  assert.ok(entries.length > 0);
  return Uint8Array.of(0);
}

async function until(isSo: () => boolean): Promise<void> {
  await waitUntil(() => isSo() || undefined, {
    ...{ what: 'the witness', timeoutMs: 4000, intervalMs: 5 },
    signal: AbortSignal.timeout(4500),
  });
}

test('a node cosigns the log that ends with a consensus when the one before names it, and shows it', async () => {
  const { state, brought, directory, nodeLog } = await node(['later', 'taken']);
  await until(() => directory.current() !== undefined);
  state.held = [first, second];
  state.nowSeconds = second.validAfter;
  await until(() => brought.length === 1);
  assert.equal(nodeLog.checkpoints.newest?.cosigners.length, 1);
  const [{ kind, text } = assert.fail()] = brought;
  assert.equal(kind, PUT_KINDS.cosignature);
  assert.ok(text.startsWith('sotto/regtest/test\n2\n'));
  const shown = directory.noteOf(DIRECTORY_KINDS.checkpoint, sizeDigest(2));
  assert.equal(shown && fromUtf8(shown), text);
  const proof = directory.noteOf(DIRECTORY_KINDS.logEntries, sizeDigest(9));
  assert.equal(proof?.length, 64);
  state.nowSeconds += 1;
  await until(() => brought.length === 2);
  assert.equal(brought[1]?.text, text);
  state.nowSeconds += 1;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(brought.length, 2, 'what was taken is not brought again');
});

test('a node that sees two signed consensuses of one epoch cosigns neither, keeps both and says where they are', async () => {
  const { state, brought, directory, nodeLog } = await node();
  await until(() => directory.current() !== undefined);
  state.held = [first, second];
  state.nowSeconds = second.validAfter;
  await until(() => brought.length === 1);
  state.held = [first, fork];
  state.nowSeconds = second.freshUntil;
  await until(() => brought.length === 2);
  assert.deepEqual(brought[1], {
    kind: PUT_KINDS.evidence,
    text: `sotto-evidence-at/1\nnode ${nodeId}\n`,
  });
  assert.equal(directory.current(), undefined);
  assert.equal(nodeLog.evidence.fork?.epoch, 2);
  const index = directory.noteOf(DIRECTORY_KINDS.evidence, new Uint8Array(32));
  assert.match(fromUtf8(index ?? assert.fail()), /^sotto-evidence-index\/1\nconsensuses 2 /);
  const note = directory.noteOf(DIRECTORY_KINDS.evidence, fork.hash);
  assert.deepEqual(note, noteOf(fork));
});
