import assert from 'node:assert/strict';
import { test } from 'vitest';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { fastSchedule, hintedSchedule, NEVER, type Schedule, steadySchedule } from './schedule.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MEAN_MS = 4 * HOUR_MS;

/**
 * The attack of the gateways that see six addresses of each of 120 clients behind one honest relay:
 * they know when each address was asked about, and want to know which are of one wallet. They count
 * what comes together, no more: what they reach is the least that an attacker can.
 */
const CLIENTS = 120;
const ADDRESSES = 6;

/** When a bridge runs, and when a wallet of it is open, in milliseconds from its start. */
interface Use {
  readonly runs: readonly (readonly [number, number])[];
  readonly isOpen: (at: number) => boolean;
}

/** The moments at which a bridge asks about one address, as the watch list puts its questions. */
function questions(schedule: Schedule, { runs, isOpen }: Use): number[] {
  const asked: number[] = [];
  let due = 0;
  for (const [from, to] of runs) {
    due = Math.min(schedule.atOpening(from, due), isOpen(from) ? schedule.whenWanted(from) : NEVER);
    while (due < to) {
      asked.push(due);
      due = schedule.afterQuestion(due, isOpen(due));
    }
  }
  return asked;
}

/**
 * How well "asked about within the same minutes, how often" tells pairs of one wallet from others: the
 * probability that a pair of one wallet scores higher than one of two wallets. A half is chance.
 */
function linkingAuc(uses: readonly Use[], schedule: Schedule, windowMs: number): number {
  const events = uses
    .flatMap((use, client) =>
      Array.from({ length: ADDRESSES }, (_, index) => {
        const address = client * ADDRESSES + index;
        return questions(schedule, use).map((at) => ({ at, address }));
      }).flat(),
    )
    .sort((a, b) => a.at - b.at);
  const count = uses.length * ADDRESSES;
  const together = new Uint32Array(count * count);
  let oldest = 0;
  for (const [index, { at, address }] of events.entries()) {
    while ((events[oldest]?.at ?? at) < at - windowMs) oldest += 1;
    for (let other = oldest; other < index; other += 1) {
      const pair = events[other]?.address ?? address;
      const cell = Math.min(pair, address) * count + Math.max(pair, address);
      together[cell] = (together[cell] ?? 0) + 1;
    }
  }
  const [same, different] = [new Map<number, number>(), new Map<number, number>()];
  for (let a = 0; a < count; a += 1) {
    for (let b = a + 1; b < count; b += 1) {
      const isSame = Math.floor(a / ADDRESSES) === Math.floor(b / ADDRESSES);
      const scores = isSame ? same : different;
      const score = together[a * count + b] ?? 0;
      scores.set(score, (scores.get(score) ?? 0) + 1);
    }
  }
  return aucOf(same, different);
}

/** Of two histograms: score to how many. */
function aucOf(positive: Map<number, number>, negative: Map<number, number>): number {
  let wins = 0;
  for (const [score, many] of positive) {
    for (const [other, others] of negative) {
      if (score > other) wins += many * others;
      if (score === other) wins += (many * others) / 2;
    }
  }
  const sum = (counts: Map<number, number>): number =>
    [...counts.values()].reduce((a, b) => a + b, 0);
  return wins / (sum(positive) * sum(negative));
}

/** Two openings a day, of half an hour each, at random. */
function openings(days: number, random: () => number): (readonly [number, number])[] {
  return Array.from({ length: days * 2 }, (_, index) => {
    const from = (index * DAY_MS) / 2 + (random() * DAY_MS) / 2 - HOUR_MS / 2;
    const start = Math.max(from, (index * DAY_MS) / 2);
    return [start, start + HOUR_MS / 2] as const;
  });
}

function usesOf(days: number, random: () => number, runs: 'always' | 'while open'): readonly Use[] {
  return Array.from({ length: CLIENTS }, () => {
    const open = openings(days, random);
    return {
      runs: runs === 'always' ? [[0, days * DAY_MS] as const] : open,
      isOpen: (at: number) => open.some(([from, to]) => at >= from && at < to),
    };
  });
}

function steady(random: () => number): Schedule {
  return steadySchedule({ meanMs: MEAN_MS, random });
}

function fast(random: () => number): Schedule {
  return fastSchedule({ everyMs: MINUTE_MS, windowMs: 10_000, random });
}

test('in steady mode gateways that compare times cannot tell after a month what is of one wallet', () => {
  const random = seededNumbers(1);
  const auc = linkingAuc(usesOf(30, random, 'always'), steady(random), 5 * MINUTE_MS);
  assert.ok(auc >= 0.45 && auc <= 0.55, `AUC ${auc}`);
});

test('in fast mode they can, after a day', () => {
  const random = seededNumbers(1);
  const auc = linkingAuc(usesOf(1, random, 'while open'), fast(random), 10_000);
  assert.ok(auc > 0.99, `AUC ${auc}`);
});

test('a steady bridge that runs only while the wallet is open tells more with each day', () => {
  const random = seededNumbers(1);
  const [few, many] = [3, 30].map((days) =>
    linkingAuc(usesOf(days, random, 'while open'), steady(random), 30 * MINUTE_MS),
  );
  assert.ok(few !== undefined && many !== undefined);
  assert.ok(few < 0.6 && many > 0.7 && many < 0.85, `AUC ${few}, ${many}`);
});

test('in steady mode the mean is kept, whether or not a wallet is there', () => {
  for (const wanted of [true, false]) {
    const schedule = steady(seededNumbers(2));
    let at = 0;
    for (let question = 0; question < 10_000; question += 1) {
      const next = schedule.afterQuestion(at, wanted);
      assert.ok(next >= at);
      at = next;
    }
    assert.ok(Math.abs(at / 10_000 / MEAN_MS - 1) < 0.05);
  }
});

test('in steady mode neither a wallet nor a block brings on a question', () => {
  const schedule = steady(seededNumbers(3));
  assert.equal(schedule.whenWanted(0), NEVER);
  assert.equal(schedule.afterBlock(0), NEVER);
});

test('a restart keeps what is to come, and spreads what is overdue', () => {
  const schedule = steady(seededNumbers(4));
  const now = 10 * DAY_MS;
  assert.equal(schedule.atOpening(now, now + 5), now + 5);
  const times = Array.from({ length: 1_000 }, () => schedule.atOpening(now, now - HOUR_MS));
  const soon = times.filter((at) => at < now + HOUR_MS).length;
  // Of a process with this mean, one in 4.5 questions comes within the hour.
  assert.ok(soon > 170 && soon < 275, `${soon}`);
  assert.ok(times.every((at) => at >= now));
});

test('in fast mode questions follow blocks within the window, and stop when no wallet is there', () => {
  const schedule = fast(seededNumbers(5));
  for (let question = 0; question < 100; question += 1) {
    const next = schedule.afterQuestion(0, true);
    assert.ok(next >= MINUTE_MS / 2 && next < 1.5 * MINUTE_MS);
    for (const at of [schedule.afterBlock(0), schedule.whenWanted(0)]) {
      assert.ok(at >= 0 && at < 10_000);
    }
  }
  assert.equal(schedule.afterQuestion(0, false), NEVER);
  assert.equal(schedule.atOpening(0, 7), NEVER);
});

test('with hints of the server no block brings on a question', () => {
  const schedule = hintedSchedule({ everyMs: MINUTE_MS, windowMs: 0, random: () => 0 });
  assert.equal(schedule.afterBlock(0), NEVER);
  assert.equal(schedule.afterQuestion(0, true), MINUTE_MS / 2);
});

test('a schedule says what it gives away', () => {
  assert.match(steady(Math.random).cost, /once in 4 hours on average/);
  assert.match(
    fast(Math.random).cost,
    /once in 60 seconds.*learn which addresses are of one wallet/,
  );
});
