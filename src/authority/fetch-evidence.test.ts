import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { signedBy, testAuthorities, testConsensus, testPolicy } from '../../test/test-directory.ts';
import { VirtualTime } from '../../test/virtual-time.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { Scope } from '../base/lifecycle.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { EvidenceFiles } from '../directory/evidence-files.ts';
import { renderEvidenceNotice } from '../directory/evidence-notice.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { evidenceFetcher } from './fetch-evidence.ts';

const authorities = testAuthorities(3);
const policy = testPolicy(authorities);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const [model = assert.fail()] = testConsensus().nodes;
const ids = Array.from({ length: 6 }, (_, index) => `${index}`.repeat(32));
/** The weights of the first five are equal, the last is heavier. */
const listed = testConsensus({
  nodes: ids.map((nodeId, index) => ({
    ...model,
    ...{ nodeId, family: nodeId, weight: index === 5 ? 200 : 100 },
  })),
});
const pair = [testConsensus(), testConsensus({ params: new Map([['mix-ms', 1]]) })] as const;
const notes = new Map(pair.map((each) => [toHex(each.hash), utf8(signedBy(each, authorities))]));

type Fetch = DirectorySource['fetch'];
const stalls: Fetch = () => new Promise(() => undefined);
const hasNothing: Fetch = () => Promise.resolve(utf8('sotto-evidence-index/1\n'));
const isAway: Fetch = () => Promise.reject(new Error('away'));
const index = `sotto-evidence-index/1\nconsensuses 1 ${[...notes.keys()].sort().join(' ')}\n`;
const hasEvidence: Fetch = (_kind, digest) =>
  Promise.resolve(notes.get(toHex(digest)) ?? utf8(index));
const onlyLists: Fetch = (kind, digest, signal) =>
  digest.every((byte) => byte === 0)
    ? hasEvidence(kind, digest, signal)
    : stalls(kind, digest, signal);

let scope: Scope;
beforeEach(() => (scope = new Scope()));
afterEach(() => scope[Symbol.asyncDispose]());

/** An authority to which nodes say that they have evidence, and do this when they are asked. */
async function authority(fetchOf: (nodeId: string) => Fetch) {
  const { path } = scope.use(await makeTemporaryDirectory());
  const evidence = await EvidenceFiles.open(join(path, 'evidence'), policy);
  const virtual = new VirtualTime(0);
  const reached: string[] = [];
  const fetchEvidence = evidenceFetcher({
    evidence,
    newest: { consensus: listed },
    time: virtual.shifted(0),
    reach: (name) => {
      reached.push(name);
      return { name, fetch: fetchOf(name), [Symbol.asyncDispose]: () => Promise.resolve() };
    },
  });
  /** What the node is told: a code, or that it was taken. */
  const tell = (nodeId = ''): Promise<string> =>
    fetchEvidence(utf8(renderEvidenceNotice(nodeId))).then(
      () => 'taken',
      (error: unknown) => (error as { code: string }).code,
    );
  return { evidence, virtual, reached, tell };
}

test('while a node stalls another one is asked, and the one that stalls not a second time beside it', async () => {
  const { evidence, tell } = await authority((nodeId) =>
    nodeId === ids[0] ? stalls : hasEvidence,
  );
  void tell(ids[0]);
  assert.equal(await tell(ids[0]), 'busy');
  assert.equal(await tell(ids[1]), 'taken');
  assert.equal(evidence.names.length, 1);
});

test.each([
  { how: 'stalls', fetch: stalls, code: 'busy', endMs: 20_000 },
  { how: 'stalls when it has shown a list', fetch: onlyLists, code: 'busy', endMs: 100_000 },
  { how: 'is not there', fetch: isAway, code: 'busy', endMs: 0 },
  { how: 'has nothing', fetch: hasNothing, code: 'no-equivocation', endMs: 0 },
])(
  'a node that $how is given up, and not asked again for an hour',
  async ({ fetch, code, endMs }) => {
    const { virtual, reached, tell } = await authority(() => fetch);
    const told = tell(ids[0]);
    await virtual.runUntil(endMs);
    assert.equal(await told, code);
    await virtual.runUntil(endMs + HOUR_MS - 1);
    assert.equal(await tell(ids[0]), 'busy');
    assert.equal(reached.length, 1);
    await virtual.runUntil(endMs + HOUR_MS);
    void tell(ids[0]);
    assert.equal(reached.length, 2);
  },
);

test('a node whose evidence was news is asked again, and rests when it has no more', async () => {
  const { tell } = await authority(() => hasEvidence);
  assert.deepEqual(
    [await tell(ids[0]), await tell(ids[0]), await tell(ids[0])],
    ['taken', 'taken', 'busy'],
  );
});

test('four are asked at one time; a heavier node takes the place of a lighter one, which need not rest', async () => {
  let fetch: Fetch = stalls;
  const { reached, tell } = await authority((nodeId) => (nodeId === ids[5] ? hasEvidence : fetch));
  const four = ids.slice(0, 4).map((nodeId) => tell(nodeId));
  assert.equal(await tell(ids[4]), 'busy');
  assert.equal(reached.length, 4);
  assert.equal(await tell(ids[5]), 'taken');
  assert.equal(await Promise.race(four), 'busy');
  fetch = hasEvidence;
  assert.equal(await tell(ids[0]), 'taken');
});
