import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SimulatedAuthorities, type SimulatedAuthority } from '../../test/simulated-authorities.ts';
import { toHex } from '../base/bytes.ts';

/** Its mind changes all the time, so that whoever asks it twice gets two votes. */
function ballotsThatDiffer(authority: SimulatedAuthority): void {
  let count = 0;
  authority.castBallot = (slot, previous) => {
    count += 1;
    const params = new Map([['mix-ms', count]]);
    return Promise.resolve({ ...authority.usualBallot(slot, previous), params });
  };
}

const DOWN_MS = 20_000;

/** Calls back at the step of this number, from 0; counts the steps. */
function atStep(wanted: number, callback: () => void): { step: () => boolean; count: number } {
  const counter = {
    count: 0,
    step: (): boolean => {
      const isNow = counter.count === wanted;
      counter.count += 1;
      if (isNow) callback();
      return isNow;
    },
  };
  return counter;
}

/** The first of three is killed at a step of its part in the slot, and started again. */
async function killAt(kind: 'write' | 'message', number: number): Promise<number> {
  const network = new SimulatedAuthorities(3);
  const [victim, second, third] = network.all as unknown as readonly [
    ...[SimulatedAuthority, SimulatedAuthority, SimulatedAuthority],
  ];
  ballotsThatDiffer(victim);
  const { signal } = new AbortController();
  // Its disk is slow, so that the others ask while it writes.
  victim.store.onDisk = () => network.time.sleepUntil(network.time.nowMs + 25_000, signal);
  for (const each of network.all) await each.start();
  let killedMs: number | undefined;
  const counter = atStep(number, () => {
    victim.kill();
    killedMs = network.time.nowMs;
  });
  if (kind === 'message') victim.onStep = () => void counter.step();
  else victim.store.onWrite = () => (counter.step() ? 'killed' : 'alive');
  const { endsMs, epoch } = network.slot(0);
  while (network.time.nowMs < endsMs + 1000) {
    const restartMs = killedMs === undefined ? Infinity : killedMs + DOWN_MS;
    await network.time.runUntil(Math.min(network.time.nowMs + 5000, endsMs + 1000));
    if (network.time.nowMs < restartMs) continue;
    killedMs = undefined;
    await victim.start();
  }
  if (killedMs !== undefined) await victim.start();
  await network.time.runUntil(network.slot(1).opensMs - 1000);

  const hashes = network.all.map(({ newest }) => newest && toHex(newest.hash));
  assert.equal(new Set(hashes).size, 1);
  assert.equal(second.newest?.epoch, epoch);
  assert.deepEqual(victim.premature, []);
  assert.ok((victim.votes.get(epoch)?.size ?? 0) <= 1, 'two votes for one epoch');
  assert.ok((victim.signatures.get(epoch)?.size ?? 0) <= 1, 'two signatures for one epoch');
  assert.deepEqual([...(third.signatures.get(epoch) ?? [])], [hashes[0]]);
  return counter.count;
}

/** Three votes, a signed text and a consensus, each before and after it is on disk. */
const WRITES = 10;

test.each(Array.from({ length: WRITES }, (_, index) => index))(
  'an authority killed at step %i of its writing, and started again, does not contradict itself',
  async (step) => {
    await killAt('write', step);
  },
);

test('an authority killed at any message and started again does not contradict itself', async () => {
  const messages = await killAt('message', Infinity);
  assert.ok(messages > 60, `${messages} messages`);
  for (let step = 0; step < messages; step += Math.ceil(messages / 10)) {
    await killAt('message', step);
  }
});

test('authorities whose clocks are set back say again what they said', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second] = network.all as unknown as [SimulatedAuthority, SimulatedAuthority];
  const { epoch, endsMs } = network.slot(0);
  for (const each of [first, second]) {
    ballotsThatDiffer(each);
    await each.start();
  }
  await network.runThrough(0);
  for (const each of [first, second]) {
    each.kill();
    each.clockOffsetMs = -1_000_000;
    await each.start();
  }
  await network.time.runUntil(endsMs + 1_100_000);
  for (const { votes } of [first, second]) assert.equal(votes.get(epoch)?.size, 1);
});

test('an authority whose clock was ahead does not vote, says so, and counts and signs with the others', async () => {
  const network = new SimulatedAuthorities(3);
  const [first, second, third] = network.all as unknown as readonly [
    ...[SimulatedAuthority, SimulatedAuthority, SimulatedAuthority],
  ];
  const periods = 40;
  third.clockOffsetMs = periods * network.timeline.periodSeconds * 1000;
  await third.start();
  await network.time.runUntil(network.slot(0).signsMs);
  third.kill();
  third.clockOffsetMs = 0;
  const errors: unknown[] = [];
  third.log = { ...third.log, error: (message, fields) => void errors.push([message, fields]) };
  for (const each of network.all) await each.start();
  await network.runThrough(1);
  await network.runThrough(2);
  const { epoch } = network.slot(2);
  assert.equal(third.votes.get(epoch), undefined);
  for (const { newest, signatures } of [first, second, third]) {
    assert.equal(newest?.epoch, epoch);
    assert.equal(signatures.get(epoch)?.size, 1);
  }
  const until = new Date(network.slot(periods + 1).publishesMs).toISOString();
  const message = 'the clock was ahead: no vote of ours before the time that it showed';
  assert.deepEqual(errors.at(-1), [message, { until }]);
  const kept = await third.store.keptVotes();
  assert.equal(kept?.epoch, network.slot(periods).epoch);
});

test.each([
  ['before a slot opens', -500],
  ['while it shows its vote', 120_000],
])(
  'an authority whose clock is set back %s takes part in the slot that is now',
  async (_when, afterMs) => {
    const network = new SimulatedAuthorities(3);
    const [first, second, third] = network.all as unknown as readonly [
      ...[SimulatedAuthority, SimulatedAuthority, SimulatedAuthority],
    ];
    const clock = network.time.ahead(4 * network.timeline.periodSeconds * 1000);
    third.clock = clock;
    for (const each of [first, second, third]) await each.start();
    await network.time.runUntil(network.slot(0).opensMs + afterMs);
    clock.setBack();
    await network.runThrough(1);
    const { epoch } = network.slot(1);
    for (const { newest, signatures } of [first, second, third]) {
      assert.equal(newest?.epoch, epoch);
      assert.equal(signatures.get(epoch)?.size, 1);
    }
  },
);

test('an authority whose clock is set back by a slot says nothing of a slot it has left behind', async () => {
  const network = new SimulatedAuthorities(5);
  const [first, second] = network.all as unknown as [SimulatedAuthority, SimulatedAuthority];
  for (const each of [first, second]) {
    ballotsThatDiffer(each);
    await each.start();
  }
  await network.runThrough(1);
  for (const each of [first, second]) {
    each.kill();
    each.clockOffsetMs = network.slot(0).opensMs - network.time.nowMs;
    await each.start();
  }
  const { endsMs, opensMs } = network.slot(0);
  await network.time.runUntil(network.time.nowMs + endsMs - opensMs);
  for (const { votes } of [first, second]) assert.equal(votes.get(network.slot(0).epoch)?.size, 1);
});
