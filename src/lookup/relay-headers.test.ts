import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { easyNetwork, mineRow, spaced, START } from '../../test/mined-headers.ts';
import { testNode } from '../../test/relay-fixtures.ts';
import { concatBytes } from '../base/bytes.ts';
import { hashOf, HEADER_BYTES } from '../bitcoin/block-header.ts';
import { HeaderChain } from '../electrum/header-chain.ts';
import type { RelayLink } from '../relay/relay-link.ts';
import { LookupError } from './fault.ts';
import { FaultLog } from './fault-log.ts';
import { syncFromRelays } from './relay-headers.ts';

const BITS = 0x207f_ffff;
const PARAMS = easyNetwork('fixed', BITS);
const TRUE = mineRow(PARAMS.genesis, spaced(2500, { spacing: 1, bits: BITS }));
const TIP = hashOf(TRUE.subarray(-HEADER_BYTES));
const relays = ['a', 'b', 'c'].map((name) => testNode(name).listed);
const [first, , third] = relays.map(({ nodeId }) => nodeId);

type Headers = RelayLink['headers'];

const serving = (headers: Uint8Array): Headers => {
  const all = concatBytes(PARAMS.genesis, headers);
  return (start, count) =>
    Promise.resolve(all.slice(start * HEADER_BYTES, (start + count) * HEADER_BYTES));
};

const silent: Headers = () => new Promise(() => undefined);

/** A header that does not build on the one before. */
const forged = Uint8Array.from(TRUE);
forged.fill(7, 2100 * HEADER_BYTES + 4, 2100 * HEADER_BYTES + 36);

interface Synced {
  readonly chain: HeaderChain;
  readonly faults: FaultLog;
  readonly done: Promise<void>;
}

function sync(behaviours: readonly Headers[], timeoutMs: number): Synced {
  const chain = new HeaderChain(PARAMS, () => (START + 10_000) * 1000);
  const faults = new FaultLog();
  const pool = {
    link: ({ host }: { host: string }) => {
      const headers = behaviours[relays.findIndex(({ onion }) => onion.host === host)];
      return headers === undefined ? Promise.reject(new Error('no')) : Promise.resolve({ headers });
    },
  };
  const { signal } = new AbortController();
  const onProgress = (): void => undefined;
  return {
    chain,
    faults,
    done: syncFromRelays(relays, { chain, pool, faults, signal, onProgress, timeoutMs }),
  };
}

const culprits = ({ faults }: Synced): (string | undefined)[] =>
  faults.entries.map(({ culprit }) => culprit.nodeId);

test.each([
  ['sends forged headers', serving(forged)],
  ['sends headers of another network', serving(mineRow(TRUE.subarray(-HEADER_BYTES), spaced(3)))],
  ['sends garbage', () => Promise.resolve(new Uint8Array(80))],
  ['sends what is no header', () => Promise.resolve(new Uint8Array(81))],
  ['breaks off', () => Promise.reject(new Error('gone'))],
] satisfies [string, Headers][])(
  'a relay that %s is named, and two others complete the chain',
  async (_, bad) => {
    const synced = sync([bad, serving(TRUE), serving(TRUE)], 5_000);
    await synced.done;
    assert.equal(synced.chain.tip.hash, TIP);
    assert.deepEqual(culprits(synced), [first]);
  },
);

test('a relay that holds back the newest blocks is of no effect', async () => {
  const old = serving(TRUE.subarray(0, 1000 * HEADER_BYTES));
  for (const order of [
    [old, serving(TRUE), serving(TRUE)],
    [serving(TRUE), old, old],
  ]) {
    const synced = sync(order, 5_000);
    await synced.done;
    assert.equal(synced.chain.tip.hash, TIP);
    assert.deepEqual(culprits(synced), []);
  }
});

test('one silent relay is named and does not hold the others up for its whole time', async () => {
  const synced = sync([silent, serving(TRUE), serving(TRUE)], 60_000);
  const late = sleep(10_000, 'late', { ref: false });
  assert.notEqual(await Promise.race([synced.done, late]), 'late');
  assert.equal(synced.chain.tip.hash, TIP);
  assert.deepEqual(culprits(synced), [first]);
});

test('two silent relays end it with an error that says so, and both are named', async () => {
  const synced = sync([silent, serving(TRUE), silent], 50);
  await assert.rejects(synced.done, (error) => {
    assert.ok(error instanceof LookupError);
    assert.equal(error.code, 'headers-unavailable');
    assert.match(error.message, /Fewer than 2 of 3 relays gave block headers/);
    return true;
  });
  assert.deepEqual(culprits(synced), [first, third]);
});
