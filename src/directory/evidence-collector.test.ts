import assert from 'node:assert/strict';
import { test } from 'vitest';
import { testAuthorities, testPolicy, testSeed } from '../../test/test-directory.ts';
import { testVoteNote } from '../../test/test-votes.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { type DirectorySource } from './directory-source.ts';
import { EvidenceCollector } from './evidence-collector.ts';
import { EvidenceFiles } from './evidence-files.ts';
import { renderEvidenceIndex } from './evidence-index.ts';
import { digestOfText, textOfNote } from './note.ts';

const authorities = testAuthorities(3);
const policy = testPolicy(authorities);
const [one, two] = authorities;
assert.ok(one && two);
const { signal } = new AbortController();

type Pair = readonly [string, string];
const epoch = 7;
const equivocation = (author: typeof one): Pair => [
  testVoteNote(author, { epoch }),
  testVoteNote(author, { epoch, nodes: [] }),
];
const junk = (name: string): Pair => [
  `${name} 1\n\n— nobody AAAAAAAA\n`,
  `${name} 2\n\n— nobody AAAAAAAA\n`,
];
const digestsOf = ([first, second]: Pair) =>
  [digestOfText(textOfNote(first)), digestOfText(textOfNote(second))] as const;

/** One that lists these pairs as votes of one epoch. */
function holding(...pairs: readonly Pair[]): DirectorySource & { readonly asked: string[] } {
  const asked: string[] = [];
  const notes = new Map(
    pairs.flat().map((note) => [toHex(digestOfText(textOfNote(note))), utf8(note)]),
  );
  const entries = pairs.map(
    (pair) => ({ kind: 'votes', epoch, digests: digestsOf(pair) }) as const,
  );
  return {
    name: 'source',
    asked,
    fetch(_kind, digest) {
      const note = notes.get(toHex(digest));
      if (note !== undefined) asked.push(toHex(digest));
      return Promise.resolve(note ?? utf8(renderEvidenceIndex(entries)));
    },
  };
}

async function collectFrom(collector: EvidenceCollector): Promise<number> {
  return collector.take(await collector.list(signal), signal);
}

test('what a source lists and does not convict is told, and keeps out nothing else that it lists', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = await EvidenceFiles.open(directory.path, policy);
  const source = holding(junk('a'), equivocation(one), junk('b'), equivocation(two));
  const collector = new EvidenceCollector(files, source);
  await assert.rejects(collectFrom(collector), { name: 'DirectoryError', code: 'malformed' });
  assert.equal(files.names.length, 2);
  assert.equal(await collectFrom(collector), 0);
  assert.equal(source.asked.length, 8, 'nothing is fetched twice');
});

test('however much that is no evidence a source has listed, another one’s evidence is taken, and its own', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = await EvidenceFiles.open(directory.path, policy);
  let held = holding();
  const source: DirectorySource = {
    name: 'liar',
    fetch: (...question) => held.fetch(...question),
  };
  const collector = new EvidenceCollector(files, source);
  for (let time = 0; time < 80; time++) {
    held = holding(...Array.from({ length: 64 }, (_, index) => junk(`${time} ${index}`)));
    await assert.rejects(collectFrom(collector), { code: 'malformed' });
  }
  assert.equal(await collectFrom(new EvidenceCollector(files, holding(equivocation(one)))), 1);
  held = holding(equivocation(two));
  assert.equal(await collectFrom(collector), 1);
});

test('evidence that the index tells of as something else is no news', async () => {
  await using directory = await makeTemporaryDirectory();
  const files = await EvidenceFiles.open(directory.path, policy);
  const pair = equivocation(one);
  const entry = { kind: 'votes', epoch: 9, digests: digestsOf(pair) } as const;
  const collector = new EvidenceCollector(files, holding(pair));
  for (const kind of ['votes', 'consensuses'] as const) {
    const taken = collector.take([{ ...entry, kind }], signal);
    await assert.rejects(taken, { name: 'DirectoryError', code: 'malformed' });
  }
  await assert.rejects(
    collector.take([{ ...entry, digests: [testSeed('x'), testSeed('y')] }], signal),
    { code: 'malformed' },
  );
});
