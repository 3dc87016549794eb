import assert from 'node:assert/strict';
import { test } from 'vitest';
import { loadPins, pinnedImage } from './pins.ts';
import { judgeBitcoind, judgeImage } from './verify.ts';

const pins = await loadPins();
const bitcoind = pins.bitcoind;
const asPinned = {
  named: 'bitcoind',
  planned: pinnedImage(bitcoind),
  digests: [`bitcoin/bitcoin@${bitcoind.digest}`],
  base: undefined,
  own: undefined,
  pin: bitcoind,
} as const;
const asMade = {
  named: 'tor',
  planned: 'sotto-tor:0123456789ab',
  digests: [],
  base: pinnedImage(pins.tor),
  own: 'sotto-tor:0123456789ab',
  pin: pins.tor,
} as const;

test('a pinned image is good by its digest, not by its name', () => {
  assert.equal(judgeImage(asPinned).verdict, 'ok');
  const other = `bitcoin/bitcoin@sha256:${'0'.repeat(64)}`;
  assert.equal(judgeImage({ ...asPinned, digests: [other] }).verdict, 'fail');
  assert.equal(judgeImage({ ...asPinned, digests: [] }).verdict, 'fail');
});

test('an image in the place of a pinned one is named, with its variable', () => {
  const outcome = judgeImage({ ...asPinned, planned: 'mine/core:test' });
  assert.equal(outcome.verdict, 'warn');
  assert.match(outcome.found, /mine\/core:test, by SOTTO_BITCOIND_IMAGE/);
});

test('an image of ours is good upon the pinned base only', () => {
  assert.equal(judgeImage(asMade).verdict, 'ok');
  const outcome = judgeImage({ ...asMade, base: 'debian:trixie-slim' });
  assert.equal(outcome.verdict, 'warn');
  assert.match(outcome.found, /upon debian:trixie-slim instead of the pinned one/);
  assert.equal(judgeImage({ ...asMade, planned: 'sotto-tor:old' }).verdict, 'warn');
});

test('Bitcoin Core 31.0 must not run, 31.1 may', () => {
  assert.equal(judgeBitcoind('/Satoshi:31.1.0/', bitcoind).verdict, 'ok');
  const bad = judgeBitcoind('/Satoshi:31.0.0(comment)/', bitcoind);
  assert.equal(bad.verdict, 'fail');
  assert.match(bad.found, /privatebroadcast/);
  assert.equal(judgeBitcoind('/Satoshi:31.99.0/', bitcoind).verdict, 'warn');
  assert.equal(judgeBitcoind('nonsense', bitcoind).verdict, 'warn');
});
