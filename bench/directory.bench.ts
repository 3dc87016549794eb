import { toBase64, toHex, utf8 } from '../src/base/bytes.ts';
import { acceptConsensus, checkFollows } from '../src/directory/accept-consensus.ts';
import { applyChange, renderChange } from '../src/directory/consensus-change.ts';
import { type ConsensusNode, parseConsensus } from '../src/directory/consensus.ts';
import { openNote, textOfNote } from '../src/directory/note.ts';
import { deferPublicKey } from '../src/directory/public-key.ts';
import {
  nextContent,
  signedBy,
  TEST_TIME,
  testAuthorities,
  testContent,
  testKeyConfig,
  testPolicy,
  testSeed,
} from '../test/test-directory.ts';
import { measureSideBySide, type Report } from './harness.ts';

const NODES = 10_000;
const SIGNATURES = 5;
const LIMIT_MS = 150;
/** Parts of the nodes that have a new descriptor and the next keys. */
const CHANGED_PERCENT = [0, 1, 10, 100];

function nodeNumber(index: number): ConsensusNode {
  const seed = testSeed(`bench ${index}`);
  const nodeId = toHex(seed.subarray(0, 16));
  const replyKey = testSeed(`bench reply ${index}`);
  const [node] = testContent().nodes;
  if (node === undefined) throw new Error('the test consensus has nodes');
  return {
    ...node,
    nodeId,
    descriptorDigest: seed,
    weight: 100_000 + index,
    family: nodeId,
    keyConfigs: {
      current: toBase64(testKeyConfig(nodeId, 20_788)),
      next: toBase64(testKeyConfig(nodeId, 20_789)),
    },
    replyKey: deferPublicKey(() => replyKey),
  };
}

/** What a client does with the largest consensus there can be. */
export async function bench(): Promise<readonly Report[]> {
  const authorities = testAuthorities(SIGNATURES);
  const policy = testPolicy(authorities);
  const nodes = Array.from({ length: NODES }, (_, index) => nodeNumber(index)).sort((a, b) =>
    a.nodeId < b.nodeId ? -1 : 1,
  );
  const signed = signedBy(testContent({ nodes }), authorities);
  const note = utf8(signed);
  const text = textOfNote(note);
  const verifiers = policy.authorities.map(({ verifier }) => verifier);
  const consensus = parseConsensus(text);
  const next = parseConsensus(textOfNote(signedBy(nextContent(consensus, { nodes }), authorities)));
  const measured = await measureSideBySide([
    {
      name: 'accept: verify, parse and index',
      run: () => acceptConsensus({ note, policy, now: TEST_TIME * 1000 }),
    },
    { name: `verify ${SIGNATURES} signatures`, run: () => openNote(note, verifiers) },
    { name: 'parse and index', run: () => parseConsensus(text) },
    {
      name: 'see that the next follows it',
      run: () => {
        checkFollows(next, consensus);
      },
    },
  ]);
  return [
    {
      title: `A consensus of ${NODES} nodes: ${(note.length / NODES).toFixed(0)} bytes a node`,
      rows: measured.map(({ name, cpuUs, wallUs }, index) => ({
        name,
        'CPU ms': Math.round(cpuUs / 1000),
        ms: Math.round(wallUs / 1000),
        'limit ms': index === 0 ? LIMIT_MS : '',
      })),
    },
    { title: `An update of ${NODES} nodes`, rows: await measureChanges(nodes) },
  ];
}

/** What a client fetches and does that has the consensus before. */
async function measureChanges(nodes: readonly ConsensusNode[]): Promise<Report['rows']> {
  const authorities = testAuthorities(SIGNATURES);
  const from = parseConsensus(textOfNote(signedBy(testContent({ nodes }), authorities)));
  const updates = CHANGED_PERCENT.map((percent) => {
    const changed = nodes.map((node, index) => (index % 100 < percent ? moveOn(node) : node));
    const to = signedBy(nextContent(from, { nodes: changed }), authorities);
    return { percent, to, change: renderChange(from, to) };
  });
  const measured = await measureSideBySide(
    updates.flatMap(({ percent, to, change }) => [
      { name: `${percent} make`, run: () => renderChange(from, to) },
      { name: `${percent} apply`, run: () => applyChange(from, change) },
    ]),
  );
  const msOf = (wanted: string): number =>
    Math.round((measured.find(({ name }) => name === wanted)?.wallUs ?? NaN) / 1000);
  return updates.map(({ percent, to, change }) => ({
    'changed %': percent,
    'fetched kB': Math.round(change.length / 1000),
    'whole note kB': Math.round(to.length / 1000),
    'ms to make': msOf(`${percent} make`),
    'ms to apply': msOf(`${percent} apply`),
  }));
}

function moveOn(node: ConsensusNode): ConsensusNode {
  return {
    ...node,
    descriptorDigest: testSeed(`next ${node.nodeId}`),
    keyConfigs: {
      current: node.keyConfigs.next,
      next: toBase64(testKeyConfig(node.nodeId, 20_790)),
    },
  };
}
