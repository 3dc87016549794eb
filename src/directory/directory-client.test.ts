import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import {
  nextContent,
  signedBy,
  testAuthorities,
  testConsensus,
  testContent,
  testPolicy,
} from '../../test/test-directory.ts';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { renderChange } from './consensus-change.ts';
import type { Consensus, ConsensusContent } from './consensus.ts';
import { type DirectorySource, openDirectoryClient } from './directory-client.ts';
import { DIRECTORY_KINDS } from './directory-view.ts';
import { EvidenceFiles } from './evidence-files.ts';

const authorities = testAuthorities(3);
const policy = testPolicy(authorities);
const { signal } = new AbortController();
const nothing = new Uint8Array();

/** Four consensuses, one every 6 hours, each after the one before. */
const chain = [1, 2, 3].reduce<readonly Consensus[]>(
  (all) => [...all, testConsensus(nextContent(all.at(-1) ?? testConsensus()))],
  [testConsensus()],
);
const [first, second, third, fourth] = chain as unknown as readonly [
  ...[Consensus, Consensus, Consensus, Consensus],
];

const noteOf = (content: ConsensusContent): Uint8Array => utf8(signedBy(content, authorities));

/** A relay that holds the consensuses given, the last one as its newest. */
function relayWith(...held: readonly Consensus[]): DirectorySource & { asked: string[] } {
  const asked: string[] = [];
  const answer = (kind: number, digest: Uint8Array): Uint8Array => {
    const newest = held.at(-1);
    const found = held.find(({ hash }) => toHex(hash) === toHex(digest));
    if (kind === DIRECTORY_KINDS.latestConsensus) return newest ? noteOf(newest) : nothing;
    if (newest === undefined || found === undefined) return nothing;
    if (kind === DIRECTORY_KINDS.consensus) return noteOf(found);
    return utf8(renderChange(found, fromUtf8(noteOf(newest))));
  };
  return {
    name: 'relay',
    asked,
    fetch(kind, digest) {
      asked.push(`${kind} ${toHex(digest).slice(0, 8)}`);
      return Promise.resolve(answer(kind, digest));
    },
  };
}

/** The same relay, but what it says of changes is this. */
function relayWithChange(
  change: string,
  ...held: readonly Consensus[]
): ReturnType<typeof relayWith> {
  const relay = relayWith(...held);
  return {
    ...relay,
    async fetch(kind, digest, aborted) {
      const answer = await relay.fetch(kind, digest, aborted);
      return kind === DIRECTORY_KINDS.change ? utf8(change) : answer;
    },
  };
}

const short = (hash: Uint8Array): string => toHex(hash).slice(0, 8);

/** What the relay says to every question. */
const relaySaying = (answer: Uint8Array): DirectorySource => ({
  name: 'liar',
  fetch: () => Promise.resolve(answer),
});

async function clientIn(directory: string, at: Consensus = first) {
  let now = at.validAfter * 1000;
  const accepted: (readonly number[])[] = [];
  const evidence = await EvidenceFiles.open(join(directory, 'evidence'), policy);
  const client = await openDirectoryClient({
    path: join(directory, 'consensus'),
    policy,
    clock: () => now,
    log: silent,
    evidence,
    patienceMs: 20,
    onAccepted: (verified) => {
      accepted.push(verified.map(({ consensus }) => consensus.epoch));
      return Promise.resolve();
    },
  });
  return {
    client,
    evidence,
    accepted,
    setTime: (consensus: Consensus) => (now = consensus.validAfter * 1000),
  };
}

test('the newest consensus is fetched, used, and there after a restart', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path);
  assert.equal(client.current(), undefined);
  assert.ok(client.isStale());
  const consensus = await client.refresh([relayWith(first)], signal);
  assert.equal(consensus.text, first.text);
  assert.equal(client.current(), consensus);
  const restarted = await clientIn(directory.path, fourth);
  assert.equal(restarted.client.current()?.text, first.text);
  assert.ok(restarted.client.isStale());
});

test('two relays are asked, so that one cannot hold back the newest', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path, second);
  const sources = [relayWith(first), relayWith(first, second), relayWith(first)];
  const consensus = await client.refresh(sources, signal);
  assert.equal(consensus.epoch, 2);
  assert.equal(sources[2]?.asked.length, 0);
});

test('epochs that were missed are walked back one by one, and told with the newest', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, accepted, setTime } = await clientIn(directory.path);
  await client.refresh([relayWith(first)], signal);
  setTime(fourth);
  const relay = relayWith(first, second, third, fourth);
  assert.equal((await client.refresh([relay], signal)).epoch, 4);
  assert.deepEqual(relay.asked, [
    `10 ${short(first.hash)}`,
    `1 ${short(third.hash)}`,
    `1 ${short(second.hash)}`,
  ]);
  assert.deepEqual(accepted, [[1], [2, 3, 4]]);
});

test('whoever has a consensus asks for what changed since, and keeps the same note', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, setTime } = await clientIn(directory.path);
  await client.refresh([relayWith(first)], signal);
  setTime(second);
  const relay = relayWith(first, second);
  assert.equal((await client.refresh([relay], signal)).text, second.text);
  assert.deepEqual(relay.asked, [`10 ${short(first.hash)}`]);
  const kept = await readFile(join(directory.path, 'consensus'), 'utf8');
  assert.equal(kept, fromUtf8(noteOf(second)));
});

test('where a relay has no change, or one that leads to nothing signed, the whole note is fetched', async () => {
  const good = renderChange(first, fromUtf8(noteOf(second)));
  const bad = [
    '',
    'noise',
    good.replace('mix-ms=500', 'mix-ms=501'),
    good.replace('from ', 'from 0'),
  ];
  for (const change of bad) {
    await using directory = await makeTemporaryDirectory();
    const { client, setTime } = await clientIn(directory.path);
    await client.refresh([relayWith(first)], signal);
    setTime(second);
    const relay = relayWithChange(change, first, second);
    assert.equal((await client.refresh([relay], signal)).text, second.text);
    assert.deepEqual(relay.asked, [`10 ${short(first.hash)}`, '0 00000000']);
  }
});

test('a consensus that too few signed is passed over, and does not bar the way to one that follows it', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, setTime } = await clientIn(directory.path);
  await client.refresh([relayWith(first)], signal);
  const byOne = utf8(signedBy(second, authorities.slice(0, 1)));
  const relay = (...held: readonly Consensus[]): DirectorySource => {
    const whole = relayWithChange('', ...held);
    return {
      name: whole.name,
      async fetch(...question) {
        const answer = await whole.fetch(...question);
        return fromUtf8(answer) === fromUtf8(noteOf(second)) ? byOne : answer;
      },
    };
  };
  setTime(second);
  assert.equal((await client.refresh([relay(first, second)], signal)).epoch, 1);
  setTime(third);
  assert.equal((await client.refresh([relay(first, second, third)], signal)).epoch, 3);
});

test('a chain that a relay cannot show is not believed', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, setTime } = await clientIn(directory.path);
  await client.refresh([relayWith(first)], signal);
  setTime(fourth);
  assert.equal((await client.refresh([relayWith(fourth)], signal).catch(() => first)).epoch, 1);
});

test('a chain that leads past the consensus held is refused', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client, setTime } = await clientIn(directory.path);
  const other = testConsensus(testContent({ params: new Map([['mix-ms', 1]]) }));
  const fork = [1, 2].reduce<readonly Consensus[]>(
    (all) => [...all, testConsensus(nextContent(all.at(-1) ?? other))],
    [other],
  );
  await client.refresh([relayWith(first)], signal);
  setTime(third);
  const consensus = await client.refresh([relayWith(...fork)], signal);
  assert.equal(consensus.text, first.text);
});

test('after a restart an older consensus is refused, and the one kept still used', async () => {
  await using directory = await makeTemporaryDirectory();
  const before = await clientIn(directory.path, second);
  await before.client.refresh([relayWith(first, second)], signal);
  const { client } = await clientIn(directory.path, second);
  assert.equal((await client.refresh([relayWith(first)], signal)).epoch, 2);
});

test('an expired consensus is not used, but the next one must still follow it', async () => {
  await using directory = await makeTemporaryDirectory();
  const before = await clientIn(directory.path);
  await before.client.refresh([relayWith(first)], signal);
  const late = testConsensus(nextContent(testConsensus(nextContent(fourth))));
  const { client } = await clientIn(directory.path, late);
  assert.equal(client.current(), undefined);
  await assert.rejects(client.refresh([relayWith(late)], signal), { code: 'unavailable' });
});

/** The relay, as slow as this to each question. */
const slowly = (relay: DirectorySource, ms: number): DirectorySource => ({
  ...relay,
  async fetch(kind, digest, aborted) {
    await sleep(ms, undefined, { signal: aborted });
    return relay.fetch(kind, digest, aborted);
  },
});
const NEVER_MS = 2 ** 30;

test('a relay that is slow does not hold back what others have given, nor what the only one gives', async () => {
  const slow = slowly(relayWith(first), NEVER_MS);
  for (const sources of [
    [slow, relayWith(first), relayWith(first, second)],
    [slow, relayWith(first, second)],
    [slowly(relayWith(first, second), 40)],
    [slow, slow, slowly(relayWith(first, second), 40)],
  ]) {
    await using directory = await makeTemporaryDirectory();
    const { client } = await clientIn(directory.path, second);
    assert.equal((await client.refresh(sources, signal)).epoch, 2);
  }
});

test('a family of which one relay is slow is not asked again for that', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path, second);
  const ofOne = (relay: DirectorySource): DirectorySource => ({ ...relay, family: 'x' });
  const sources = [slowly(relayWith(first), NEVER_MS), relayWith(first)].map(ofOne);
  const consensus = await client.refresh([...sources, relayWith(first, second)], signal);
  assert.equal(consensus.epoch, 2);
});

test('who took a consensus that nobody goes on from uses it to its end, is told then, and can begin anew', async () => {
  const skipped = { prev: first.hash, epoch: third.epoch };
  const instead = testConsensus(nextContent(second, skipped));
  const chain = [1, 2, 3].reduce<readonly Consensus[]>(
    (all) => [...all, testConsensus(nextContent(all.at(-1) ?? instead))],
    [instead],
  );
  const [, , , newest = assert.fail()] = chain;
  await using directory = await makeTemporaryDirectory();
  const { client, setTime } = await clientIn(directory.path, second);
  await client.refresh([relayWith(first, second)], signal);
  setTime(instead);
  assert.equal((await client.refresh([relayWith(first, instead)], signal)).epoch, second.epoch);
  setTime(newest);
  const all = relayWith(first, ...chain);
  await assert.rejects(client.refresh([all], signal), /do not come after it: docs\/verifying.md/);
  await rm(join(directory.path, 'consensus'));
  const anew = await clientIn(directory.path, newest);
  assert.equal((await anew.client.refresh([all], signal)).epoch, newest.epoch);
});

test('relays that fail or lie are passed over and the next one asked', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path);
  const failing: DirectorySource = {
    name: 'failing',
    fetch: () => Promise.reject(new Error('unreachable')),
  };
  const sources = [failing, relaySaying(nothing), relaySaying(utf8('noise')), relayWith(first)];
  assert.equal((await client.refresh(sources, signal)).epoch, 1);
});

test('without any valid consensus the client says so', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path);
  const expected = { name: 'DirectoryError', code: 'unavailable' };
  await assert.rejects(client.refresh([relaySaying(nothing)], signal), expected);
  await assert.rejects(client.refresh([], signal), expected);
});

test('an aborted refresh rejects with the reason', async () => {
  await using directory = await makeTemporaryDirectory();
  const { client } = await clientIn(directory.path);
  const reason = new Error('enough');
  await assert.rejects(client.refresh([relayWith(first)], AbortSignal.abort(reason)), reason);
});
