import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
  testPolicy,
  testSeed,
} from '../../test/test-directory.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { renderCheckpoint } from './checkpoint.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Consensus, type ConsensusContent, type LogHead } from './consensus.ts';
import { type ConsensusNode } from './consensus-node.ts';
import { cosign } from './cosignature.ts';
import { type DirectorySource, openDirectoryClient } from './directory-client.ts';
import { DIRECTORY_KINDS, rangeOf } from './directory-view.ts';
import { EvidenceFiles } from './evidence-files.ts';
import { renderLogProof } from './log-proof.ts';
import { leafHash, logRoot, MerkleTree } from './merkle-log.ts';
import { loadPublicKey } from './public-key.ts';
import { signingKeyFromSeed } from './signing-key.ts';
import { witnessName } from './witnesses.ts';

const authorities = testAuthorities(3);
const treeOf = (entries: readonly Uint8Array[]) => new MerkleTree(entries.map(leafHash));
const policy = testPolicy(authorities);
const { signal } = new AbortController();
const nothing = new Uint8Array();
const NAMES = ['a', 'b', 'c', 'd'] as const;
const RENEWED = ['a2', 'b2', 'c2', 'd2'] as const;
const noteOf = (consensus: Consensus): Uint8Array => utf8(signedBy(consensus, authorities));

const running: readonly ConsensusNode[] = testConsensus().nodes.map((node) => ({
  ...node,
  flags: new Set([...node.flags, 'Running'] as const),
}));

/** The log that ends with the last of a chain. */
function logOf(chain: readonly Consensus[]): LogHead {
  const leaves = chain.map(({ hash }) => leafHash(hash));
  return { origin: 'sotto/regtest/test', size: chain.length, root: logRoot(leaves) };
}

/** The next consensus of a chain, and the line `log` that it must have. */
function after(
  chain: readonly Consensus[],
  changes: Partial<ConsensusContent> = {},
): readonly Consensus[] {
  const [last] = chain.slice(-1);
  const content = { nodes: running, log: logOf(chain), ...changes };
  const next = last === undefined ? content : nextContent(last, content);
  return [...chain, testConsensus(next)];
}

const WITNESSED = { params: new Map([['cosigned-percent', 51]]) };
/** Of four; more than half of the witnesses must have cosigned. */
const chain = [0, 1, 2, 3].reduce<readonly Consensus[]>((all) => after(all, WITNESSED), []);
const [first, second, third, fourth] = chain as unknown as readonly [
  ...[Consensus, Consensus, Consensus, Consensus],
];

/** The nodes a to d with other reply keys than before, which are 27 days old at most. */
const renewed: readonly ConsensusNode[] = running.map((node, index) => ({
  ...node,
  replyKey: loadPublicKey(signingKeyFromSeed(testSeed(`reply ${RENEWED[index] ?? ''}`)).publicKey),
}));

/** By the reply keys of these of the nodes a to d, of the log that a consensus names. */
function cosigned({ log }: Pick<Consensus, 'log'>, names: readonly string[]): Uint8Array {
  assert.ok(log);
  const text = renderCheckpoint(log);
  const lines = names.map((name) => {
    const key = signingKeyFromSeed(testSeed(`reply ${name}`));
    const node = [...running, ...renewed].find(
      ({ replyKey }) => toHex(replyKey.bytes) === toHex(key.publicKey),
    );
    return `${cosign(text, { name: witnessName(node?.nodeId ?? 'nobody'), key }, 1)}\n`;
  });
  return utf8(`${text}\n${lines.join('')}`);
}

interface Relay {
  readonly held: readonly Consensus[];
  readonly family?: string;
  readonly proof?: (from: number, to: number) => Uint8Array | undefined;
  readonly checkpoint?: Uint8Array;
  /** The index of the consensus that it had when it was started last. */
  readonly startedAt?: number;
}

/** What a relay has that followed these one after the other, where every witness cosigned all of it. */
function checkpointsOf(held: readonly Consensus[], startedAt: number): Checkpoints {
  const consensusOf = (hash: Uint8Array): Consensus | undefined =>
    held.find((each) => toHex(each.hash) === toHex(hash));
  const checkpoints = new Checkpoints({ policy, consensusOf });
  for (const [index, consensus] of held.entries()) {
    if (index < startedAt) continue;
    const log = logOf(held.slice(0, index + 1));
    checkpoints.follow(consensus, log);
    if (index > 0) checkpoints.take(cosigned({ log }, witnessesIn(held[index - 1])));
  }
  return checkpoints;
}

function witnessesIn(consensus: Consensus | undefined): readonly string[] {
  const [first] = consensus?.nodes ?? [];
  const [old] = running;
  return first?.replyKey.bytes.join() === old?.replyKey.bytes.join() ? NAMES : RENEWED;
}

/** One that answers as the others do, but where it is told otherwise. */
function relay({
  held,
  family,
  proof,
  checkpoint,
  startedAt = 0,
}: Relay): DirectorySource & { asked: number[] } {
  const [newest] = held.slice(-1);
  assert.ok(newest);
  const entries = held.map(({ hash }) => hash);
  const checkpoints = checkpointsOf(held, startedAt);
  const asked: number[] = [];
  const answer = (kind: number, digest: Uint8Array): Uint8Array | undefined => {
    const { from, to } = rangeOf(digest) ?? { from: 0, to: 0 };
    const found = held.find(({ hash }) => toHex(hash) === toHex(digest));
    if (kind === DIRECTORY_KINDS.latestConsensus) return noteOf(newest);
    if (kind === DIRECTORY_KINDS.consensus) return found && noteOf(found);
    if (kind === DIRECTORY_KINDS.logProof) {
      return proof === undefined ? renderLogProof(treeOf(entries), from, to) : proof(from, to);
    }
    if (kind === DIRECTORY_KINDS.checkpoint) {
      const note = checkpoints.noteOf(to);
      return checkpoint ?? (note === undefined ? undefined : utf8(note));
    }
    return undefined;
  };
  return {
    name: family ?? 'relay',
    family,
    asked,
    fetch(kind, digest) {
      asked.push(kind);
      return Promise.resolve(answer(kind, digest) ?? nothing);
    },
  };
}

async function clientIn(directory: string, at: Consensus) {
  let now = at.validAfter * 1000;
  const evidence = await EvidenceFiles.open(join(directory, 'evidence'), policy);
  const path = join(directory, 'consensus');
  const client = await openDirectoryClient({
    ...{ path, policy, clock: () => now, log: silent, evidence },
  });
  const refreshAt = async (
    { validAfter }: Pick<Consensus, 'validAfter'>,
    ...sources: readonly DirectorySource[]
  ) => {
    now = validAfter * 1000;
    return (await client.refresh(sources, signal)).epoch;
  };
  return { client, evidence, refreshAt };
}

/** A client that goes by the second of the chain, and knows the witnesses of the first. */
async function clientAtSecond(directory: string) {
  const opened = await clientIn(directory, first);
  await opened.refreshAt(first, relay({ held: chain.slice(0, 1) }));
  assert.equal(await opened.refreshAt(second, relay({ held: chain.slice(0, 2) })), second.epoch);
  return opened;
}

test('a consensus follows whose log has grown and is cosigned, after a restart too', async () => {
  await using directory = await makeTemporaryDirectory();
  await clientAtSecond(directory.path);
  const { refreshAt } = await clientIn(directory.path, second);
  assert.equal(await refreshAt(fourth, relay({ held: chain })), fourth.epoch);
});

test('who missed consensuses takes the newest, when the witnesses have cosigned what came since', async () => {
  const long = [...Array(12).keys()].reduce<readonly Consensus[]>(
    (all) => after(all, WITNESSED),
    [...chain],
  );
  const newest = long.at(-1) ?? assert.fail();
  // The second has of the logs before the newest only the one before.
  for (const startedAt of [0, long.length - 2]) {
    await using directory = await makeTemporaryDirectory();
    const { refreshAt } = await clientAtSecond(directory.path);
    assert.equal(await refreshAt(newest, relay({ held: long, startedAt })), newest.epoch);
    const next = after(long, WITNESSED);
    const [last = assert.fail()] = next.slice(-1);
    assert.equal(await refreshAt(last, relay({ held: next })), last.epoch);
  }
});

test('a consensus that was shown to one client alone is not followed over others in between either', async () => {
  const alone = after(chain.slice(0, 1), { ...WITNESSED, validUntil: second.validUntil - 1 });
  const [shown = assert.fail()] = alone.slice(-1);
  await using directory = await makeTemporaryDirectory();
  const { refreshAt } = await clientIn(directory.path, first);
  await refreshAt(first, relay({ held: [first] }));
  assert.equal(await refreshAt(second, relay({ held: alone })), shown.epoch);
  // Its successor names the log of the network, which the witnesses have cosigned, and the newest its own.
  const log = third.log ?? assert.fail();
  const between = after(alone, { ...WITNESSED, log });
  const held = after(between, WITNESSED);
  const liar = relay({ held, checkpoint: cosigned({ log }, NAMES) });
  assert.equal(await refreshAt(fourth, liar), shown.epoch);
});

test('after a long absence, or under another policy, the witnesses of before are forgotten', async () => {
  const late = second.validUntil + 7 * 86_400;
  const times = { validAfter: late, freshUntil: late + 21_600, validUntil: late + 86_400 };
  const others = { ...WITNESSED, nodes: renewed };
  const away = after(after(chain, { ...others, epoch: 39 }), { ...others, ...times, epoch: 40 });
  const next = after(away, others);
  const [back = assert.fail(), then = assert.fail()] = next.slice(-2);
  await using directory = await makeTemporaryDirectory();
  await clientAtSecond(directory.path);
  const { refreshAt } = await clientIn(directory.path, back);
  assert.equal(await refreshAt(back, relay({ held: away })), back.epoch);
  const restarted = await clientIn(directory.path, back);
  assert.equal(await restarted.refreshAt(then, relay({ held: next })), then.epoch);

  await using other = await makeTemporaryDirectory();
  await clientAtSecond(other.path);
  await writeFile(join(other.path, 'consensus'), signedBy(second, testAuthorities(6).slice(3)));
  const changed = await clientIn(other.path, back);
  assert.equal(await changed.refreshAt(back, relay({ held: away })), back.epoch);
  const changedAgain = await clientIn(other.path, back);
  assert.equal(await changedAgain.refreshAt(then, relay({ held: next })), then.epoch);
});

test('a record of witnesses that is damaged is removed', async () => {
  await using directory = await makeTemporaryDirectory();
  await clientAtSecond(directory.path);
  const path = join(directory.path, 'witnesses');
  await writeFile(path, 'torn');
  const { refreshAt } = await clientIn(directory.path, second);
  await assert.rejects(readFile(path), { code: 'ENOENT' });
  assert.equal(await refreshAt(third, relay({ held: chain.slice(0, 3) })), third.epoch);
});

const forkedLog = { log: { origin: 'sotto/regtest/test', size: 2, root: testSeed('another') } };
const shrunkLog = {
  log: { origin: 'sotto/regtest/test', size: 1, root: logRoot([leafHash(first.hash)]) },
};
const hostile: Readonly<Record<string, Relay>> = {
  'whose log is another': { held: after(chain.slice(0, 2), forkedLog) },
  'whose log has shrunk': { held: after(chain.slice(0, 2), shrunkLog) },
  'without a log': { held: after(chain.slice(0, 2), { log: undefined }) },
  'without a proof': { held: chain.slice(0, 3), proof: () => undefined },
  'with the proof of before': {
    held: chain.slice(0, 3),
    proof: () => renderLogProof(treeOf(chain.map(({ hash }) => hash)), 0, 1),
  },
  'with a checkpoint of before': { held: chain.slice(0, 3), checkpoint: cosigned(second, NAMES) },
  'cosigned by two of four': { held: chain.slice(0, 3), checkpoint: cosigned(third, ['a', 'b']) },
  'cosigned by strangers': {
    held: chain.slice(0, 3),
    checkpoint: cosigned(third, ['x', 'y', 'z']),
  },
  'cosigned by one thrice': {
    held: chain.slice(0, 3),
    checkpoint: cosigned(third, ['a', 'a', 'a']),
  },
};

test.each(Object.entries(hostile))(
  'a consensus %s is not taken from that relay',
  async (_, lie) => {
    await using directory = await makeTemporaryDirectory();
    const { refreshAt } = await clientAtSecond(directory.path);
    assert.equal(await refreshAt(third, relay(lie)), second.epoch);
    const honest = relay({ held: chain.slice(0, 3) });
    assert.equal(await refreshAt(third, relay(lie), honest), third.epoch);
  },
);

test('what is refused for its log says so, when the one held has ended', async () => {
  await using directory = await makeTemporaryDirectory();
  const { refreshAt } = await clientAtSecond(directory.path);
  const lie = hostile['whose log is another'];
  assert.ok(lie);
  const codeOf = async (source: Relay) => {
    const failing = refreshAt({ validAfter: second.validUntil }, relay(source));
    const error = await failing.then(
      () => assert.fail(),
      (cause: unknown) => cause as Error,
    );
    return ((error.cause as AggregateError).errors as { code: string }[]).map(({ code }) => code);
  };
  assert.deepEqual(await codeOf(lie), ['log-forked']);
  const few = hostile['cosigned by two of four'];
  assert.ok(few);
  assert.deepEqual(await codeOf(few), ['unwitnessed']);
});

const other = after(chain.slice(0, 1), { params: new Map([['mix-ms', 1]]) });

test('two relays that show two signed consensuses of one epoch stop the client, also after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const opened = await clientIn(directory.path, first);
  await opened.refreshAt(first, relay({ held: [first] }));
  const sources = [relay({ held: chain.slice(0, 2) }), relay({ held: other })];
  await assert.rejects(opened.refreshAt(second, ...sources), { code: 'forked' });
  assert.equal(opened.evidence.fork?.convicted.length, 3);
  assert.equal(opened.client.current(), undefined);
  const kept = await readFile(join(directory.path, 'consensus'), 'utf8');
  assert.ok(kept.startsWith(first.text), 'neither of the two is kept');
  const { client, refreshAt } = await clientIn(directory.path, second);
  assert.equal(client.current(), undefined);
  await assert.rejects(refreshAt(second, relay({ held: chain.slice(0, 2) })), { code: 'forked' });
  await rm(join(directory.path, 'evidence'), { recursive: true });
  const healed = await clientIn(directory.path, second);
  assert.equal(await healed.refreshAt(second, relay({ held: chain.slice(0, 2) })), second.epoch);
});

test('a client whose disk cannot be written is stopped by a fork all the same, and writes the evidence when it can', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, evidence, refreshAt } = await clientIn(directory.path, first);
  await refreshAt(first, relay({ held: [first] }));
  await rm(join(directory.path, 'evidence'), { recursive: true });
  const sources = [relay({ held: chain.slice(0, 2) }), relay({ held: other })] as const;
  await assert.rejects(refreshAt(second, ...sources), { code: 'forked' });
  assert.equal(client.current(), undefined);
  await assert.rejects(refreshAt(second, sources[1]), { code: 'forked' });
  await mkdir(join(directory.path, 'evidence'));
  await assert.rejects(refreshAt(second, sources[1]), { code: 'forked' });
  assert.equal(evidence.names.length, 1);
  const restarted = await clientIn(directory.path, second);
  await assert.rejects(restarted.refreshAt(second, sources[1]), { code: 'forked' });
});

test('another consensus than the one held, of its epoch, stops the client', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, evidence, refreshAt } = await clientAtSecond(directory.path);
  await assert.rejects(refreshAt(second, relay({ held: other })), { code: 'forked' });
  assert.equal(evidence.names.length, 1);
  assert.equal(client.current(), undefined);
});

test('a relay is compared with one of another family, and one that is away with the next of its own', async () => {
  await using directory = await makeTemporaryDirectory();
  const { refreshAt } = await clientIn(directory.path, first);
  const away: DirectorySource = {
    name: 'away',
    family: 'x',
    fetch: () => Promise.reject(new Error('away')),
  };
  const sources = [
    away,
    ...['y', 'y', 'x', 'z'].map((family) => relay({ held: [first], family })),
  ] as const;
  await refreshAt(first, ...sources);
  const asked = sources.slice(1).map((source) => (source as { asked?: number[] }).asked?.length);
  assert.deepEqual(asked, [1, 0, 1, 0]);
});

test('a client that is killed at any write goes by the old or the new, and then refuses the older', async () => {
  for (const stop of [0, 1, 2]) {
    await using directory = await makeTemporaryDirectory();
    const before = await clientAtSecond(directory.path);
    const files = ['consensus', 'witnesses'].map((name) => join(directory.path, name));
    const old = await Promise.all(files.map((file) => readFile(file)));
    assert.equal(await before.refreshAt(third, relay({ held: chain.slice(0, 3) })), third.epoch);
    // Files are written whole, one after the other: those after the kill are still the old ones.
    for (const [index, file] of files.entries()) {
      if (index >= stop) await writeFile(file, old[index] ?? nothing);
      await writeFile(`${file}.1.tmp`, 'half');
    }
    const { client, refreshAt } = await clientIn(directory.path, third);
    const expected = stop === 0 ? second : third;
    assert.equal(client.current()?.text, expected.text);
    assert.equal(await refreshAt(third, relay({ held: chain.slice(0, 1) })), expected.epoch);
    assert.equal(await refreshAt(fourth, relay({ held: chain })), fourth.epoch);
  }
});
