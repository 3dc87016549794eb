import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { chainOfAll, type TestBond, testBond } from '../../test/test-bond.ts';
import { testConsensus, testSeed } from '../../test/test-directory.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { certificateHash } from '../bond/bond-certificate.ts';
import { parseBondFile, renderBondFile } from '../bond/bond-file.ts';
import { type BondClaim } from '../bond/verify-bond.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type NodeFlag } from '../directory/consensus-node.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS, nodeDigest, nodeOf } from '../directory/directory-view.ts';
import { type NodeId } from '../directory/node-id.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../io/temporary-directory.ts';
import { KeptBonds } from './kept-bonds.ts';
import { directoryOfOne } from './node-directory.ts';
import { serveBonds } from './serve-bonds.ts';

const { signal } = new AbortController();
const base = testConsensus();
const [ONE = '', OTHER = ''] = base.nodes.map(({ nodeId }) => nodeId);

const SATS = 100_000;
/** Three outputs, each in a block of its own, and for which node they are. */
const COINS = { first: 100, second: 200, third: 300 };
type Coin = keyof typeof COINS;

const bondOf = (nodeId: NodeId, coin: Coin, expiry = 10): TestBond & { nodeId: NodeId } => {
  const height = COINS[coin];
  return { nodeId, ...testBond({ nodeId, sats: SATS + height, height, expiry }) };
};
const fileOf = (...bond: Parameters<typeof bondOf>): Uint8Array =>
  utf8(renderBondFile(bondOf(...bond)));
/** The chain that the node itself has verified; its tip moves. */
const tip = { height: 500 };
const chain = {
  ...chainOfAll((Object.keys(COINS) as Coin[]).map((coin) => bondOf(ONE, coin))),
  tip,
};

/** These nodes are gateways with bonds of this weight. */
function bonded(nodeIds: readonly NodeId[] = [ONE, OTHER], weight = SATS): Consensus {
  const nodes = base.nodes
    .filter(({ nodeId }) => nodeIds.includes(nodeId))
    .map((node) => ({
      ...node,
      weight,
      flags: new Set<NodeFlag>(['Relay', 'Gateway', 'Running', 'Bonded']),
    }));
  return { ...base, nodes };
}

interface Source extends DirectorySource {
  readonly asked: NodeId[];
}

function source(files: Readonly<Record<NodeId, Uint8Array>>): Source {
  const asked: NodeId[] = [];
  return {
    name: 'authority',
    asked,
    fetch(kind, digest) {
      assert.equal(kind, DIRECTORY_KINDS.bond);
      asked.push(nodeOf(digest));
      return Promise.resolve(files[nodeOf(digest)] ?? new Uint8Array(0));
    },
  };
}

const open = ({ path }: TemporaryDirectory): Promise<KeptBonds> => {
  tip.height = 500;
  return KeptBonds.open(path, chain);
};

function shown(kept: KeptBonds, nodeId: NodeId): BondClaim | undefined {
  const file = kept.fileOf(nodeId);
  return file && parseBondFile(fromUtf8(file));
}

test('the bonds of gateways are fetched once, and there after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const authority = source({ [ONE]: fileOf(ONE, 'first'), [OTHER]: fileOf(OTHER, 'second') });
  const first = await open(directory);
  assert.equal(await first.follow(bonded(), [source({}), authority], signal), true);
  const again = await open(directory);
  assert.equal(await again.follow(bonded(), [authority], signal), true);
  assert.deepEqual(authority.asked.sort(), [ONE, OTHER].sort());
  for (const kept of [first, again]) {
    assert.deepEqual(kept.fileOf(OTHER), fileOf(OTHER, 'second'));
  }
});

test('what is not the bond of the node, or is too small for its weight, is not kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  const consensus = bonded([ONE], SATS + COINS.first + 1);
  for (const wrong of [
    fileOf(OTHER, 'third'),
    fileOf(ONE, 'first'),
    utf8('noise'),
    Uint8Array.of(0xff),
    new Uint8Array(100_000).fill(65),
  ]) {
    assert.equal(await kept.follow(consensus, [source({ [ONE]: wrong })], signal), false);
    assert.equal(kept.fileOf(ONE), undefined);
  }
  await kept.follow(consensus, [source({ [ONE]: fileOf(ONE, 'second') })], signal);
  assert.equal(await kept.follow(bonded([ONE], SATS + COINS.second), [], signal), true);
});

test('a bond that somebody else made up for a node is not kept, and another source is asked', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  const made = bondOf(ONE, 'first');
  const secretKey = testSeed('of nobody');
  const hash = certificateHash({ nodeId: ONE, expiry: 10 });
  const bond = {
    ...made.bond,
    sats: 21e14,
    publicKey: secp256k1.getPublicKey(secretKey),
    signature: secp256k1.sign(hash, secretKey, { prehash: false }),
  };
  const liar = source({ [ONE]: utf8(renderBondFile({ ...made, bond })) });
  assert.equal(await kept.follow(bonded([ONE]), [liar], signal), false);
  assert.equal(kept.fileOf(ONE), undefined);
  const honest = source({ [ONE]: fileOf(ONE, 'first') });
  assert.equal(await kept.follow(bonded([ONE]), [liar, honest], signal), true);
  assert.deepEqual(kept.fileOf(ONE), fileOf(ONE, 'first'));
});

test('what an earlier start left on disk is shown only while it holds', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  await kept.follow(bonded([ONE]), [source({ [ONE]: fileOf(ONE, 'first') })], signal);
  const elsewhere = await KeptBonds.open(directory.path, bondOf(ONE, 'third').chain);
  assert.equal(elsewhere.fileOf(ONE), undefined);
  assert.equal(await elsewhere.follow(bonded([ONE]), [], signal), false);
});

test('a bond that ends within a week is looked for once in each consensus, and the one that lasts longer is kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  const old = source({ [ONE]: fileOf(ONE, 'first') });
  await kept.follow(bonded([ONE]), [old], signal);
  tip.height = 10 * 2016 - 1008;
  const consensus = bonded([ONE]);
  assert.equal(await kept.follow(consensus, [old], signal), true);
  assert.equal(await kept.follow(consensus, [old], signal), true);
  assert.equal(old.asked.length, 2);
  const renewed = source({ [ONE]: fileOf(ONE, 'first', 36) });
  await kept.follow(bonded([ONE]), [old, renewed], signal);
  assert.equal(shown(kept, ONE)?.bond.expiry, 36);
  await kept.follow(bonded([ONE]), [old], signal);
  assert.equal(old.asked.length, 3);
  assert.equal(shown(kept, ONE)?.bond.expiry, 36);
});

test('a bond that has ended is shown no more, and the new one takes its place', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  await kept.follow(bonded([ONE]), [source({ [ONE]: fileOf(ONE, 'first') })], signal);
  tip.height = 10 * 2016 + 288;
  assert.equal(kept.fileOf(ONE), undefined);
  const renewed = source({ [ONE]: fileOf(ONE, 'first', 36) });
  assert.equal(await kept.follow(bonded([ONE]), [renewed], signal), true);
  assert.equal(shown(kept, ONE)?.bond.expiry, 36);
});

test('when coins move from one node to another, the bonds of both are fetched again', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  await kept.follow(bonded([ONE]), [source({ [ONE]: fileOf(ONE, 'first') })], signal);
  const moved = source({ [ONE]: fileOf(ONE, 'second'), [OTHER]: fileOf(OTHER, 'first') });
  const stale = source({ [ONE]: fileOf(ONE, 'first') });
  assert.equal(await kept.follow(bonded(), [stale, moved], signal), true);
  assert.deepEqual(kept.fileOf(ONE), fileOf(ONE, 'second'));
  assert.deepEqual(kept.fileOf(OTHER), fileOf(OTHER, 'first'));
});

test('a source that does not answer comes after the others', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  let tried = 0;
  const silent: DirectorySource = {
    name: 'silent',
    fetch() {
      tried += 1;
      return Promise.reject(new Error('no answer'));
    },
  };
  const nodes = base.nodes.map(({ nodeId }) => nodeId);
  const none = source({});
  await kept.follow(bonded(nodes), [none, silent], signal);
  assert.ok(nodes.length > 2 && none.asked.length === nodes.length);
  const authority = source({ [ONE]: fileOf(ONE, 'first') });
  tried = 0;
  await kept.follow(bonded([ONE]), [silent, authority, silent], signal);
  assert.equal(tried, 1);
});

test('the bond of a node that has none any more is forgotten', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  await kept.follow(bonded([ONE]), [source({ [ONE]: fileOf(ONE, 'first') })], signal);
  assert.ok(kept.fileOf(ONE));
  await kept.follow(base, [], signal);
  assert.equal(kept.fileOf(ONE), undefined);
  assert.equal((await open(directory)).fileOf(ONE), undefined);
});

test('a node shows its own bond, and nothing of other kinds that it had not', async () => {
  await using directory = await makeTemporaryDirectory();
  const own = fileOf(ONE, 'first');
  await using served = await serveBonds(directoryOfOne(), {
    dataDirectory: directory.path,
    nodeId: ONE,
    own,
    chain,
    sources: () => [],
    log: silent,
  });
  assert.deepEqual(served.noteOf(DIRECTORY_KINDS.bond, nodeDigest(ONE)), own);
  assert.equal(served.noteOf(DIRECTORY_KINDS.bond, nodeDigest(OTHER)), undefined);
  assert.equal(served.noteOf(DIRECTORY_KINDS.descriptor, nodeDigest(ONE)), undefined);
});

test('a node tells its operator from thirty days before its bond ends', async () => {
  await using directory = await makeTemporaryDirectory();
  tip.height = 10 * 2016 - 29 * 144;
  const told: unknown[] = [];
  const log = {
    ...silent,
    warn: (_message: string, fields?: object) => {
      told.push(fields);
    },
  };
  await using served = await serveBonds(directoryOfOne(), {
    dataDirectory: directory.path,
    nodeId: ONE,
    own: fileOf(ONE, 'first'),
    chain,
    sources: () => [],
    log,
  });
  assert.ok(served);
  assert.deepEqual(told, [{ days: 29 }]);
});
