import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, MalformedBytesError } from '../base/bytes.ts';
import { hashOf, HEADER_BYTES, parseHeader } from '../bitcoin/block-header.ts';
import { targetOf } from '../bitcoin/compact-target.ts';
import { networkParams, type RetargetRule } from '../bitcoin/networks.ts';
import { HeaderChain } from './header-chain.ts';
import {
  EASIEST,
  easyNetwork,
  mine,
  mineRow,
  type NextHeader,
  PERIOD,
  spaced,
  START,
} from '../../test/mined-headers.ts';
import { type ProofCode, ProofError } from './proof-error.ts';

const NOW = (START + 1_000_000) * 1000;

function newChain(retarget: RetargetRule): HeaderChain {
  return new HeaderChain(easyNetwork(retarget), () => NOW);
}

function refusedWith(code: ProofCode): (error: unknown) => boolean {
  return (error) => error instanceof ProofError && error.code === code;
}

test('a chain grows by headers that build on it, and gives them back', () => {
  const chain = newChain('fixed');
  const headers = mineRow(chain.params.genesis, spaced(20));
  const { from, tip } = chain.connect(1, headers.subarray(0, 5 * HEADER_BYTES));
  assert.deepEqual({ from, height: tip.height }, { from: 1, height: 5 });
  chain.connect(6, headers.subarray(5 * HEADER_BYTES));
  assert.equal(chain.tip.height, 20);
  assert.equal(chain.tip.hash, hashOf(headers.subarray(-HEADER_BYTES)));
  assert.deepEqual(chain.rawAt(1, 100), headers);
  assert.deepEqual(chain.headerAt(20), parseHeader(headers.subarray(-HEADER_BYTES)));
  for (const height of [-1, 21, 0.5, NaN]) assert.equal(chain.headerAt(height), undefined);
  assert.equal(chain.rawAt(21, 5).length, 0);
});

test('headers that are known already change nothing', () => {
  const chain = newChain('fixed');
  const headers = mineRow(chain.params.genesis, spaced(5));
  chain.connect(1, headers);
  assert.equal(chain.connect(1, headers).from, 6);
  assert.equal(chain.connect(0, concatBytes(chain.params.genesis, headers)).from, 6);
  assert.equal(chain.tip.height, 5);
});

test('a branch with more work replaces the end of the chain', () => {
  const chain = newChain('fixed');
  const trunk = mineRow(chain.params.genesis, spaced(10));
  chain.connect(1, trunk);
  const fork = trunk.subarray(0, 6 * HEADER_BYTES);
  const branch = mineRow(fork.subarray(-HEADER_BYTES), spaced(5, { from: 7, branch: 1 }));
  assert.equal(chain.connect(1, concatBytes(fork, branch)).from, 7);
  assert.equal(chain.tip.height, 11);
  assert.equal(chain.tip.hash, hashOf(branch.subarray(-HEADER_BYTES)));
});

test('a branch with the same work does not replace the chain', () => {
  const chain = newChain('fixed');
  const trunk = mineRow(chain.params.genesis, spaced(10));
  chain.connect(1, trunk);
  const before = chain.tip;
  const branch = mineRow(
    trunk.subarray(5 * HEADER_BYTES, 6 * HEADER_BYTES),
    spaced(4, { from: 7, branch: 1 }),
  );
  assert.throws(() => chain.connect(7, branch), refusedWith('less-work'));
  assert.equal(chain.tip, before);
});

test('a shorter branch with harder targets replaces a longer chain', () => {
  const chain = newChain('every-period');
  const slow = mineRow(chain.params.genesis, spaced(14, { spacing: 700 }));
  chain.connect(1, slow);
  const fast = spaced(PERIOD - 1, { spacing: 100 });
  const quarter = 0x2001_ffff;
  const harder = spaced(5, { from: PERIOD, spacing: 100, bits: quarter });
  chain.connect(1, mineRow(chain.params.genesis, [...fast, ...harder]));
  assert.equal(chain.tip.height, PERIOD + 4);
});

test('a header that builds on none of the chain is refused', () => {
  const chain = newChain('fixed');
  const headers = mineRow(chain.params.genesis, spaced(5));
  const second = headers.subarray(HEADER_BYTES);
  assert.throws(() => chain.connect(2, second), refusedWith('unknown-parent'));
  assert.throws(() => chain.connect(1, second), refusedWith('unknown-parent'));
  const otherNetwork = networkParams('regtest').genesis;
  assert.throws(() => chain.connect(0, otherNetwork), refusedWith('unknown-parent'));
  assert.throws(() => chain.connect(-1, headers), refusedWith('unknown-parent'));
});

test('a part of a header is refused', () => {
  assert.throws(() => newChain('fixed').connect(1, new Uint8Array(79)), MalformedBytesError);
});

test('a header without proof of work is refused with all that came with it', () => {
  const chain = newChain('fixed');
  const headers = mineRow(chain.params.genesis, spaced(5));
  const last = headers.subarray(-HEADER_BYTES);
  do last[HEADER_BYTES - 1] = (last[HEADER_BYTES - 1] ?? 0) + 1;
  while (BigInt(`0x${hashOf(last)}`) <= targetOf(EASIEST));
  assert.throws(() => chain.connect(1, headers), refusedWith('bad-proof-of-work'));
  assert.equal(chain.tip.height, 0);
});

test('a header with an easier target than the rule says is refused', () => {
  for (const rule of ['fixed', 'every-period', 'bip94'] as const) {
    const chain = newChain(rule);
    const easier = mineRow(chain.params.genesis, spaced(1, { bits: 0x207f_ffff }));
    assert.throws(() => chain.connect(1, easier), refusedWith('bad-retarget'));
  }
});

test('after a fast period the target is harder by the time of all blocks but the first', () => {
  const chain = newChain('every-period');
  // Seven spacings of 300 s count as 2100 of the 4800 s planned.
  const period = mineRow(chain.params.genesis, spaced(PERIOD - 1, { spacing: 300 }));
  chain.connect(1, period);
  const bits = 0x2003_7fff;
  assert.equal(((targetOf(EASIEST) * 2100n) / 4800n) >> 232n, targetOf(bits) >> 232n);
  const time = START + PERIOD * 300;
  const unchanged = mine(period.subarray(-HEADER_BYTES), { time });
  assert.throws(() => chain.connect(PERIOD, unchanged), refusedWith('bad-retarget'));
  chain.connect(PERIOD, mine(period.subarray(-HEADER_BYTES), { time, bits }));
});

test('a target changes by a factor of four at most, and never past the easiest', () => {
  const fast = newChain('every-period');
  const rush = mineRow(fast.params.genesis, spaced(PERIOD - 1, { spacing: 1 }));
  fast.connect(1, rush);
  const next = { time: START + 600, bits: 0x2001_ffff };
  fast.connect(PERIOD, mine(rush.subarray(-HEADER_BYTES), next));
  const slow = newChain('every-period');
  slow.connect(1, mineRow(slow.params.genesis, spaced(PERIOD + 1, { spacing: 60_000 })));
  assert.equal(slow.headerAt(PERIOD)?.bits, EASIEST);
});

test('a block 20 minutes late may be easy under bip94, and the next one may not', () => {
  const chain = newChain('bip94');
  const hard = 0x2001_ffff;
  const rush = mineRow(chain.params.genesis, spaced(PERIOD - 1, { spacing: 100 }));
  const first = mine(rush.subarray(-HEADER_BYTES), { time: START + 800, bits: hard });
  chain.connect(1, concatBytes(rush, first));
  const tooEarly = mine(first, { time: START + 2000, bits: EASIEST });
  assert.throws(() => chain.connect(PERIOD + 1, tooEarly), refusedWith('bad-retarget'));
  const late = mine(first, { time: START + 2001, bits: EASIEST });
  chain.connect(PERIOD + 1, late);
  const again = mine(late, { time: START + 2100, bits: EASIEST });
  assert.throws(() => chain.connect(PERIOD + 2, again), refusedWith('bad-retarget'));
  chain.connect(PERIOD + 2, mine(late, { time: START + 2100, bits: hard }));
});

test('bip94 retargets from the first block of the period, not from an easy last one', () => {
  const chain = newChain('bip94');
  const hard = 0x2001_ffff;
  const rows: NextHeader[] = spaced(PERIOD - 1, { spacing: 100 });
  for (let block = 0; block < PERIOD - 1; block += 1) {
    rows.push({ time: START + 800 + block * 600, bits: hard });
  }
  rows.push({ time: START + 800 + (PERIOD - 2) * 600 + 1201, bits: EASIEST });
  const headers = mineRow(chain.params.genesis, rows);
  chain.connect(1, headers);
  const time = START + 800 + PERIOD * 600;
  const fromEasy = mine(headers.subarray(-HEADER_BYTES), { time: time + 600, bits: EASIEST });
  assert.throws(() => chain.connect(2 * PERIOD, fromEasy), refusedWith('bad-retarget'));
  // 4801 s of 4800 s planned.
  const right = mine(headers.subarray(-HEADER_BYTES), { time: time + 600, bits: 0x2002_001a });
  chain.connect(2 * PERIOD, right);
});

test('a bip94 period may start ten minutes before the last one ended, and no earlier', () => {
  const chain = newChain('bip94');
  const rows = spaced(PERIOD - 2, { spacing: 600 });
  const end = START + 6_000;
  const period = mineRow(chain.params.genesis, [...rows, { time: end, bits: EASIEST }]);
  chain.connect(1, period);
  const parent = period.subarray(-HEADER_BYTES);
  const tooEarly = mine(parent, { time: end - 601, bits: EASIEST });
  assert.throws(() => chain.connect(PERIOD, tooEarly), refusedWith('bad-time'));
  chain.connect(PERIOD, mine(parent, { time: end - 600, bits: EASIEST }));
});

test('a header must be later than the median of the eleven before it', () => {
  const chain = newChain('fixed');
  const headers = mineRow(chain.params.genesis, spaced(12));
  chain.connect(1, headers);
  const median = chain.headerAt(7)?.time ?? 0;
  const parent = headers.subarray(-HEADER_BYTES);
  assert.throws(() => chain.connect(13, mine(parent, { time: median })), refusedWith('bad-time'));
  chain.connect(13, mine(parent, { time: median + 1 }));
});

test('a header may be two hours ahead of the clock, and no more', () => {
  const chain = newChain('fixed');
  const latest = NOW / 1000 + 7200;
  const ahead = mine(chain.params.genesis, { time: latest + 1 });
  assert.throws(() => chain.connect(1, ahead), refusedWith('bad-time'));
  chain.connect(1, mine(chain.params.genesis, { time: latest }));
});
