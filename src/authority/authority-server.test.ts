import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'vitest';
import {
  signedBy,
  TEST_TIME,
  testAuthorities,
  testContent,
  testDescriptor,
  testDescriptorNote,
  testKeyConfig,
  testPolicy,
} from '../../test/test-directory.ts';
import { testSlot, testVoteNote } from '../../test/test-votes.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { silent } from '../base/log.ts';
import { applyChange } from '../directory/consensus-change.ts';
import { nextContent } from '../../test/test-directory.ts';
import { parseConsensus, renderConsensus } from '../directory/consensus.ts';
import {
  DIRECTORY_KINDS,
  epochDigest,
  nodeDigest,
  rangeDigest,
  sizeDigest,
} from '../directory/directory-view.ts';
import { signNote } from '../directory/note.ts';
import { renderPolicy } from '../directory/policy.ts';
import { fingerprintOf } from '../directory/policy-link.ts';
import { VoteExchange } from '../directory/vote-exchange.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { type TcpServer } from '../io/listen.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { PUT_KINDS } from '../relay/frame-payload.ts';
import { LinkError } from '../relay/link-error.ts';
import { openRelayLink, type RelayLink } from '../relay/relay-link.ts';
import { AuthorityDirectory } from './authority-directory.ts';
import { type AuthorityFiles, openAuthorityFiles } from './authority-files.ts';
import { authorityPeer } from './authority-peers.ts';
import { type AuthorityLimits, startAuthorityServer } from './authority-server.ts';
import { HeldNodes } from './held-nodes.ts';
import { NewestConsensus } from './newest-consensus.ts';
import { ShownDocuments } from './shown-documents.ts';
import { takePut } from './take-put.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const NOW = TEST_TIME * 1000;
const NO_DIGEST = new Uint8Array(32);
const { signal } = new AbortController();
const authorities = testAuthorities(5);
const policy = testPolicy(authorities);
const [one] = authorities;
assert.ok(one);

let scope: Scope;
let files: AuthorityFiles;
let shown: ShownDocuments;
let newest: NewestConsensus;
let taken: string[];
let proofs: number[];
let brought: string[];

beforeEach(async () => {
  scope = new Scope();
  const { path } = scope.use(await makeTemporaryDirectory());
  files = scope.use(await openAuthorityFiles(path, policy));
  taken = [];
  proofs = [];
  brought = [];
  shown = new ShownDocuments();
  newest = await NewestConsensus.open({ policy, store: files, log: silent });
});
afterEach(() => scope[Symbol.asyncDispose]());

async function start(limits: Partial<AuthorityLimits> = {}): Promise<TcpServer> {
  const { path } = scope.use(await makeTemporaryDirectory());
  const nodes = await HeldNodes.open({
    directory: path,
    genesis: GENESIS,
    now: NOW,
    slotAt: () => testSlot(5),
  });
  const clock = (): number => NOW;
  const bonds = {
    take: (bytes: Uint8Array) => Promise.resolve(void proofs.push(bytes.length)),
    fileOf: (nodeId: string) => utf8(`the bond of ${nodeId}`),
  };
  return scope.use(
    await startAuthorityServer({
      listen: { host: '127.0.0.1', port: 0 },
      network: 'regtest',
      expectProxyHeader: false,
      directory: new AuthorityDirectory({
        ...{ policy, files, nodes, bonds, newest, shown },
        checkpoints: { noteOf: (size) => `checkpoint ${size}` },
      }),
      take: (put) =>
        takePut(put, {
          ...{ nodes, bonds, newest, clock },
          keptLog: { take: (note) => Promise.resolve(void brought.push(fromUtf8(note))) },
          fetchEvidence: (notice) => Promise.resolve(void brought.push(fromUtf8(notice))),
          standing: { stakesOf: () => [], isThere: () => true },
          onDescriptor: ({ nodeId }) => taken.push(nodeId),
        }),
      clock: Date.now,
      log: silent,
      limits,
    }),
  );
}

async function linkTo(server: TcpServer): Promise<RelayLink> {
  const stream = await loopbackDial(server, { signal, isolation: '' });
  return scope.use(openRelayLink({ stream, network: 'regtest', clock: Date.now }));
}

test('a node brings its descriptor, and others fetch it; an older one is refused with its code', async () => {
  const link = await linkTo(await start());
  const put = (note: string) => link.put(PUT_KINDS.descriptor, utf8(note), { signal });
  assert.deepEqual(await put(testDescriptorNote('a')), { verdict: 'taken', text: '' });
  const { digest, nodeId } = testDescriptor('a');
  assert.deepEqual(taken, [nodeId]);
  const fetched = await link.directory(DIRECTORY_KINDS.descriptor, digest, { signal });
  assert.equal(fromUtf8(fetched), testDescriptorNote('a'));
  const older = await put(testDescriptorNote('a', { published: TEST_TIME - 7200 }));
  assert.deepEqual([older.verdict, older.text.split(':')[0]], ['refused', 'replayed']);
  const early = await put(testDescriptorNote('b', { published: TEST_TIME + 3600 }));
  assert.deepEqual([early.verdict, early.text.split(':')[0]], ['later', 'not-yet-valid']);
  const noise = await put('noise');
  assert.deepEqual([noise.verdict, noise.text.split(':')[0]], ['refused', 'malformed']);
});

test('what a node brings is news once, and its leaving is none', async () => {
  const link = await linkTo(await start());
  const { nodeId } = testDescriptor('a');
  const put = async (note: string): Promise<void> => {
    const { verdict } = await link.put(PUT_KINDS.descriptor, utf8(note), { signal });
    assert.equal(verdict, 'taken');
  };
  const first = testDescriptorNote('a', { published: TEST_TIME - 120 });
  for (const note of [first, first, first]) await put(note);
  assert.deepEqual(taken, [nodeId]);
  const second = testDescriptorNote('a', { published: TEST_TIME - 60 });
  await put(second);
  assert.deepEqual(taken, [nodeId, nodeId]);
  await put(testDescriptorNote('a', { published: TEST_TIME, expires: TEST_TIME + 1 }));
  assert.equal(taken.length, 2);
});

test('what passes with time is answered with "not now", and what was brought in the same bytes is taken', async () => {
  const link = await linkTo(await start());
  const put = async (note: string): Promise<string> => {
    const { verdict, text } = await link.put(PUT_KINDS.descriptor, utf8(note), { signal });
    return `${verdict} ${text.split(':')[0]}`;
  };
  const published = TEST_TIME - 60;
  const leaving = testDescriptorNote('a', { published, expires: published + 1 });
  assert.equal(await put(leaving), 'later unknown-node');
  const keyOf = (epoch: number) => ({ epoch, keyConfig: testKeyConfig('a', epoch) });
  const early = testDescriptorNote('a', { keyConfigs: [keyOf(20_790), keyOf(20_791)] });
  assert.equal(await put(early), 'later wrong-key-epoch');
  for (let count = 0; count < 2; count += 1) {
    assert.equal(await put(testDescriptorNote('a')), 'taken ');
  }
  assert.equal(await put(leaving), 'taken ');
});

test('cosignatures, notices of evidence and proofs of bonds are passed on; what is of an unknown kind is refused', async () => {
  const link = await linkTo(await start());
  await link.put(PUT_KINDS.bond, new Uint8Array(9000), { signal });
  assert.deepEqual(proofs, [9000]);
  await link.put(PUT_KINDS.cosignature, utf8('a cosignature'), { signal });
  await link.put(PUT_KINDS.evidence, utf8('a notice'), { signal });
  assert.deepEqual(brought, ['a cosignature', 'a notice']);
  const { verdict, text } = await link.put(99, utf8('?'), { signal });
  assert.deepEqual([verdict, text.split(':')[0]], ['refused', 'unknown-kind']);
});

test('consensuses, the change from one to the next, and the log are shown', async () => {
  const content = testContent({
    log: { origin: 'sotto/test', size: 0, root: new Uint8Array(32) },
  });
  const first = parseConsensus(renderConsensus(content));
  const second = nextContent(first, {
    log: { origin: 'sotto/test', size: 1, root: new Uint8Array(32) },
  });
  const later = (TEST_TIME + 86_400) * 1000;
  const notes = [content, second].map((each) => signedBy(each, authorities.slice(0, 3)));
  for (const note of notes) await newest.adopt(utf8(note), later);
  const link = await linkTo(await start());
  const get = async (kind: number, digest: Uint8Array): Promise<string> =>
    fromUtf8(await link.directory(kind, digest, { signal }));
  assert.equal(await get(DIRECTORY_KINDS.latestConsensus, NO_DIGEST), notes[1]);
  assert.equal(await get(DIRECTORY_KINDS.consensus, first.hash), notes[0]);
  assert.equal(await get(DIRECTORY_KINDS.consensus, NO_DIGEST), '');
  const change = await get(DIRECTORY_KINDS.change, first.hash);
  assert.equal(applyChange(first, change), notes[1]);
  const entries = await link.directory(DIRECTORY_KINDS.logEntries, rangeDigest(0, 9), { signal });
  assert.deepEqual(entries.length, 64);
  assert.equal(await get(DIRECTORY_KINDS.checkpoint, sizeDigest(2)), 'checkpoint 2');
  const proof = await link.directory(DIRECTORY_KINDS.logProof, rangeDigest(0, 2), { signal });
  assert.deepEqual(proof.length, 1 + 32);
  assert.equal(await get(DIRECTORY_KINDS.evidence, NO_DIGEST), 'sotto-evidence-index/1\n');
  assert.deepEqual(entries.subarray(0, 32), first.hash);
  assert.equal(await get(99, NO_DIGEST), '');
});

test('the bond of a node is shown to whoever asks for it by the id of the node', async () => {
  const link = await linkTo(await start());
  const { nodeId } = testDescriptor('a');
  const file = await link.directory(DIRECTORY_KINDS.bond, nodeDigest(nodeId), { signal });
  assert.equal(fromUtf8(file), `the bond of ${nodeId}`);
});

test('the policy is shown to those who know its fingerprint, and to nobody else', async () => {
  const link = await linkTo(await start());
  const get = async (fingerprint: Uint8Array): Promise<string> =>
    fromUtf8(await link.directory(DIRECTORY_KINDS.policy, fingerprint, { signal }));
  assert.equal(await get(fingerprintOf(policy)), renderPolicy(policy));
  assert.equal(await get(NO_DIGEST), '');
});

test('another authority fetches votes over one link, and opens another when it has ended', async () => {
  const slot = testSlot(5);
  const exchange = new VoteExchange({ policy, slot, signer: one });
  const text = testVoteNote(one);
  exchange.hold(exchange.accept(exchange.read(text), slot.votesMs));
  shown.showVotes(exchange);
  let server = await start();
  let dialled = 0;
  await using peer = authorityPeer({
    name: 'authority-1',
    onion: { host: 'x.onion', port: 50_010 },
    dial: (_, options) => {
      dialled += 1;
      return loopbackDial(server, options);
    },
    network: 'regtest',
    clock: Date.now,
  });
  const index = (): Promise<Uint8Array> =>
    peer.fetch(DIRECTORY_KINDS.voteIndex, epochDigest(slot.epoch), signal);
  const [digest] = exchange.index().map((entry) => entry.digest);
  assert.match(fromUtf8(await index()), /^sotto-votes\/1\nvote /);
  const vote = await peer.fetch(DIRECTORY_KINDS.vote, digest ?? NO_DIGEST, signal);
  assert.equal(fromUtf8(vote), text);
  assert.equal(dialled, 1);
  await server[Symbol.asyncDispose]();
  await assert.rejects(index());
  server = await start();
  assert.match(fromUtf8(await index()), /^sotto-votes\/1\nvote /);
});

test('all who wait for a vote wait for the same bytes', () => {
  const slot = testSlot(5);
  const exchange = new VoteExchange({ policy, slot, signer: one });
  exchange.hold(exchange.accept(exchange.read(testVoteNote(one)), slot.votesMs));
  shown.showVotes(exchange);
  const [digest = NO_DIGEST] = exchange.index().map((entry) => entry.digest);
  const bytes = shown.noteOf(DIRECTORY_KINDS.vote, digest);
  assert.ok(bytes);
  assert.equal(shown.noteOf(DIRECTORY_KINDS.vote, digest), bytes);
});

test('a peer that is out of reach fails the question, and is tried again for the next', async () => {
  let dialled = 0;
  await using peer = authorityPeer({
    name: 'authority-1',
    onion: { host: 'x.onion', port: 50_010 },
    dial: () => {
      dialled += 1;
      return Promise.reject(new Error('no way'));
    },
    network: 'regtest',
    clock: Date.now,
  });
  for (const attempts of [1, 2]) {
    await assert.rejects(peer.fetch(0, NO_DIGEST, signal), /no way/);
    assert.equal(dialled, attempts);
  }
});

test('a peer cannot answer a signature with more than a signature takes', async () => {
  const server = await start();
  shown.showSignature(7, renderConsensus(testContent()), one);
  const peerOf = (kind: number) => {
    const peer = scope.use(
      authorityPeer({
        name: 'authority-1',
        onion: { host: 'x.onion', port: 50_010 },
        dial: (_, options) => loopbackDial(server, options),
        network: 'regtest',
        clock: Date.now,
      }),
    );
    return peer.fetch(kind, epochDigest(7), signal);
  };
  assert.ok((await peerOf(DIRECTORY_KINDS.signature)).length > 0);
  shown.noteOf = () => new Uint8Array(9000);
  await assert.rejects(peerOf(DIRECTORY_KINDS.signature), LinkError);
});

test('what is not for an authority, and more than its share, ends the link', async () => {
  const server = await start({ putsPerCircuit: 2, bytesPerCircuit: 50_000 });
  const ends = async (act: (link: RelayLink) => Promise<unknown>): Promise<string> => {
    const link = await linkTo(server);
    await assert.rejects(async () => {
      await act(link);
    }, LinkError);
    return (await link.closed).code;
  };
  assert.equal(await ends((link) => link.headers(0, 1, { signal })), 'closed');
  const put = (link: RelayLink) => link.put(PUT_KINDS.descriptor, utf8('noise'), { signal });
  await ends(async (link) => {
    for (let count = 0; count < 3; count += 1) await put(link);
  });
  const note = utf8(signNote('x'.repeat(20_000) + '\n', one));
  shown.noteOf = () => note;
  await ends(async (link) => {
    for (let count = 0; count < 3; count += 1) {
      await link.directory(DIRECTORY_KINDS.signature, NO_DIGEST, { signal });
    }
  });
});

test('whoever holds all links in silence does not keep others out, nor those who ask now and then', async () => {
  const server = await start({ links: 3 });
  const asks = async (link: RelayLink): Promise<void> => {
    await link.directory(DIRECTORY_KINDS.latestConsensus, NO_DIGEST, { signal });
  };
  const peer = await linkTo(server);
  await asks(peer);
  for (let count = 0; count < 20; count += 1) {
    await asks(await linkTo(server));
    await asks(peer);
  }
  const silent = await linkTo(server);
  for (let count = 0; count < 2; count += 1) {
    await asks(peer);
    await asks(await linkTo(server));
  }
  assert.equal((await silent.closed).code, 'closed');
});

test('too much at once is answered with "not now"', async () => {
  const link = await linkTo(await start({ putsAtOnce: 0 }));
  const { verdict, text } = await link.put(PUT_KINDS.descriptor, utf8('noise'), { signal });
  assert.deepEqual([verdict, text.split(':')[0]], ['later', 'busy']);
});
