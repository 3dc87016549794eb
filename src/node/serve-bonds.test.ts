import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testBond } from '../../test/test-bond.ts';
import { testConsensus } from '../../test/test-directory.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { renderBondFile } from '../bond/bond-file.ts';
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

const fileOf = (nodeId: NodeId, sats = 100_000): Uint8Array =>
  utf8(renderBondFile({ nodeId, ...testBond({ nodeId, sats }) }));

/** Both nodes are gateways with bonds of this weight. */
function bonded(weight = 100_000): Consensus {
  const nodes = base.nodes.slice(0, 2).map((node) => ({
    ...node,
    weight,
    flags: new Set<NodeFlag>(['Relay', 'Gateway', 'Running', 'Bonded']),
  }));
  return { ...base, nodes };
}

function source(files: ReadonlyMap<NodeId, Uint8Array>): DirectorySource & { asked: NodeId[] } {
  const asked: NodeId[] = [];
  return {
    name: 'authority',
    asked,
    fetch(kind, digest) {
      assert.equal(kind, DIRECTORY_KINDS.bond);
      asked.push(nodeOf(digest));
      return Promise.resolve(files.get(nodeOf(digest)) ?? new Uint8Array(0));
    },
  };
}

const open = ({ path }: TemporaryDirectory): Promise<KeptBonds> => KeptBonds.open(path);

test('the bonds of gateways are fetched once, and there after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = new Map([ONE, OTHER].map((nodeId) => [nodeId, fileOf(nodeId)]));
  const authority = source(files);
  const first = await open(directory);
  assert.equal(await first.follow(bonded(), [source(new Map()), authority], signal), true);
  const again = await open(directory);
  assert.equal(await again.follow(bonded(), [authority], signal), true);
  assert.deepEqual(authority.asked, [ONE, OTHER]);
  for (const kept of [first, again]) {
    assert.equal(fromUtf8(kept.fileOf(OTHER) ?? new Uint8Array(0)), fromUtf8(fileOf(OTHER)));
  }
});

test('what is not the bond of the node, or is too small for its weight, is not kept', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  for (const wrong of [fileOf(OTHER), utf8('noise'), fileOf(ONE, 99_999), Uint8Array.of(0xff)]) {
    const authority = source(new Map([[ONE, wrong]]));
    assert.equal(await kept.follow(bonded(), [authority], signal), false);
    assert.equal(kept.fileOf(ONE), undefined);
  }
  const larger = source(new Map([ONE, OTHER].map((nodeId) => [nodeId, fileOf(nodeId, 200_000)])));
  await kept.follow(bonded(), [larger], signal);
  assert.equal(await kept.follow(bonded(200_000), [], signal), true);
});

test('the bond of a node that has none any more is forgotten', async () => {
  await using directory = await makeTemporaryDirectory();
  const kept = await open(directory);
  const authority = source(new Map([[ONE, fileOf(ONE)]]));
  await kept.follow(bonded(), [authority], signal);
  assert.ok(kept.fileOf(ONE));
  await kept.follow(base, [], signal);
  assert.equal(kept.fileOf(ONE), undefined);
  assert.equal((await open(directory)).fileOf(ONE), undefined);
});

test('a node shows its own bond, and nothing of other kinds that it had not', async () => {
  await using directory = await makeTemporaryDirectory();
  const own = fileOf(ONE);
  await using served = await serveBonds(directoryOfOne(), {
    dataDirectory: directory.path,
    nodeId: ONE,
    own,
    sources: () => [],
    log: silent,
  });
  assert.deepEqual(served.noteOf(DIRECTORY_KINDS.bond, nodeDigest(ONE)), own);
  assert.equal(served.noteOf(DIRECTORY_KINDS.bond, nodeDigest(OTHER)), undefined);
  assert.equal(served.noteOf(DIRECTORY_KINDS.descriptor, nodeDigest(ONE)), undefined);
});
