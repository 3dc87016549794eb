import assert from 'node:assert/strict';
import { join } from 'node:path';
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
import { VirtualTime } from '../../test/virtual-time.ts';
import { fromUtf8, toBase64, toHex, utf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { silent } from '../base/log.ts';
import { type Consensus, type ConsensusNode } from '../directory/consensus.ts';
import { cosign } from '../directory/cosignature.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS, sizeDigest } from '../directory/directory-view.ts';
import { logDocument } from '../directory/log-documents.ts';
import { leafHash, logRoot } from '../directory/merkle-log.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { witnessName } from '../directory/witnesses.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { waitUntil } from '../io/wait-until.ts';
import { openAuthorityFiles } from './authority-files.ts';
import { evidenceFetcher } from './fetch-evidence.ts';
import { keepLog, type KeptLog } from './keep-log.ts';
import { wallTime } from './time.ts';

const authorities = testAuthorities(3);
const policy = testPolicy(authorities);
const running: readonly ConsensusNode[] = testConsensus().nodes.map((node) => ({
  ...node,
  flags: new Set([...node.flags, 'Running'] as const),
}));
const origin = 'sotto/regtest/test';
const first = testConsensus({
  nodes: running,
  log: { origin, size: 0, root: logRoot([]) },
});
const second = testConsensus(
  nextContent(first, {
    nodes: running,
    log: { origin, size: 1, root: logRoot([leafHash(first.hash)]) },
  }),
);
const noteOf = (consensus: Consensus): Uint8Array => utf8(signedBy(consensus, authorities));

let scope: Scope;
beforeEach(() => (scope = new Scope()));
afterEach(() => scope[Symbol.asyncDispose]());

interface Kept extends DirectorySource {
  readonly keptLog: KeptLog;
  readonly evidence: { readonly names: readonly string[] };
  keepEvidence(notes: readonly Uint8Array[]): Promise<void>;
}

/** An authority that has two consensuses, with these peers. */
async function authority(index: number, peers: readonly DirectorySource[]): Promise<Kept> {
  const { path } = scope.use(await makeTemporaryDirectory());
  const files = scope.use(await openAuthorityFiles(join(path, 'state'), policy));
  for (const each of [first, second]) await files.keepConsensus(noteOf(each));
  const signer = authorities[index] ?? assert.fail();
  const keptLog = scope.use(
    keepLog({
      ...{ policy, signer, files, peers, time: wallTime, log: silent },
      newest: { consensus: second },
      periodMs: 240,
    }),
  );
  const { checkpoints } = keptLog;
  return {
    name: signer.name,
    keptLog,
    evidence: files.evidence,
    keepEvidence: (notes) => files.keepEvidence(notes),
    fetch: (kind, digest) =>
      Promise.resolve(logDocument(kind, digest, { ...files, checkpoints }) ?? new Uint8Array()),
  };
}

/** By the reply key of a node, of the newest log or that of another size. */
function cosignature(name: string, text: string): Uint8Array {
  const key = signingKeyFromSeed(testSeed(`reply ${name}`));
  const node = running.find(({ replyKey }) => toHex(replyKey.bytes) === toHex(key.publicKey));
  const line = cosign(text, { name: witnessName(node?.nodeId ?? 'nobody'), key }, TEST_TIME);
  return utf8(`${text}\n${line}\n`);
}

async function newestOf({ keptLog }: Kept, isSo: (note: string) => boolean): Promise<string> {
  return waitUntil(
    () => {
      const note = keptLog.checkpoints.noteOf(0);
      return note !== undefined && isSo(note) ? note : undefined;
    },
    { what: 'the checkpoint', timeoutMs: 4000, intervalMs: 5, signal: AbortSignal.timeout(4500) },
  );
}

test('authorities sign the log of the newest consensus, and have signatures and cosignatures from one another', async () => {
  const anna = await authority(0, []);
  const own = await newestOf(anna, () => true);
  const text = own.slice(0, own.indexOf('\n\n') + 1);
  assert.match(text, /^sotto\/regtest\/test\n2\n/);
  await anna.keptLog.take(cosignature('a', text));
  await anna.keptLog.take(cosignature('b', text));
  await anna.keptLog.take(cosignature('a', text));
  const ben = await authority(1, [anna]);
  const both = await newestOf(ben, (note) => note.split('— ').length === 5);
  assert.ok(both.includes('— sotto/authority-1 ') && both.includes('— sotto/authority-2 '));
  const shown = await ben.fetch(
    DIRECTORY_KINDS.checkpoint,
    sizeDigest(2),
    new AbortController().signal,
  );
  assert.equal(fromUtf8(shown), both);
});

test('a cosignature of a stranger, of an older or of another log is refused with its code', async () => {
  const anna = await authority(0, []);
  const own = await newestOf(anna, () => true);
  const text = own.slice(0, own.indexOf('\n\n') + 1);
  const refused = async (bytes: Uint8Array, code: string): Promise<void> =>
    assert.rejects(anna.keptLog.take(bytes), { name: 'DirectoryError', code });
  await refused(cosignature('stranger', text), 'unknown-signer');
  await refused(cosignature('a', text.replace('\n2\n', '\n1\n')), 'replayed');
  await refused(cosignature('a', text.replace('\n2\n', '\n3\n')), 'not-yet-valid');
  const [, , root = ''] = text.split('\n');
  const another = toBase64(testSeed('another'));
  await refused(cosignature('a', text.replace(root, another)), 'log-forked');
  const twice = `${fromUtf8(cosignature('a', text))}${fromUtf8(cosignature('a', text)).split('\n\n')[1] ?? ''}`;
  await refused(utf8(twice), 'duplicate-signature');
});

test('while the log is not known what is brought is answered in two seconds, and noise at once', async () => {
  const { path } = scope.use(await makeTemporaryDirectory());
  const files = scope.use(await openAuthorityFiles(join(path, 'state'), policy));
  const signer = authorities[0] ?? assert.fail();
  const virtual = new VirtualTime(0);
  let asked = 0;
  let end = (): void => undefined;
  const ended = new Promise<Uint8Array>((resolve) => {
    end = () => {
      resolve(new Uint8Array());
    };
  });
  const fetch: DirectorySource['fetch'] = (kind) => {
    if (kind === DIRECTORY_KINDS.logEntries) asked += 1;
    return ended;
  };
  const keptLog = scope.use(
    keepLog({
      ...{ policy, signer, files, time: virtual.shifted(0), log: silent },
      ...{ newest: { consensus: second }, peers: [{ name: 'peer', fetch }], periodMs: 240 },
    }),
  );
  await assert.rejects(keptLog.take(utf8('noise\n\n— a AAAAAAAA\n')), { code: 'malformed' });
  const text = `${origin}\n2\n${toBase64(testSeed('root'))}\n`;
  const brought = Array.from({ length: 64 }, () =>
    assert.rejects(keptLog.take(cosignature('a', text)), { code: 'not-yet-valid' }),
  );
  await virtual.runUntil(2000);
  await Promise.all(brought);
  assert.equal(asked, 1);
  end();
});

test('evidence goes from authority to authority, and from a node that says where it is', async () => {
  const pair = [first, testConsensus({ params: new Map([['mix-ms', 1]]) })].map(noteOf);
  const anna = await authority(0, []);
  await anna.keepEvidence(pair);
  const ben = await authority(1, [anna]);
  await waitUntil(() => ben.evidence.names.length > 0 || undefined, {
    ...{ what: 'the evidence', timeoutMs: 4000, intervalMs: 5 },
    signal: AbortSignal.timeout(4500),
  });
  assert.deepEqual(ben.evidence.names, anna.evidence.names);

  const { path } = scope.use(await makeTemporaryDirectory());
  const files = scope.use(await openAuthorityFiles(join(path, 'state'), policy));
  const reached: string[] = [];
  const fetchEvidence = evidenceFetcher({
    evidence: files.evidence,
    time: wallTime,
    newest: { consensus: second },
    reach: (name) => {
      reached.push(name);
      const source = reached.length === 1 ? ben : anna;
      return { ...source, name, [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  });
  const [node] = running;
  assert.ok(node);
  await fetchEvidence(utf8(`sotto-evidence-at/1\nnode ${node.nodeId}\n`));
  assert.deepEqual(files.evidence.names, anna.evidence.names);
  await fetchEvidence(utf8(`sotto-evidence-at/1\nnode ${node.nodeId}\n`));
  assert.deepEqual(reached, [node.nodeId, node.nodeId]);
  const unknown = fetchEvidence(utf8(`sotto-evidence-at/1\nnode ${'0'.repeat(32)}\n`));
  await assert.rejects(unknown, { code: 'unknown-node' });
  await assert.rejects(fetchEvidence(utf8('noise')), { code: 'malformed' });
});
