import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { payingChain, testScript } from '../../test/chain-histories.ts';
import { ChainLookup, pass, spendAll, watchListOver } from '../../test/watch-fixture.ts';
import { fastSchedule } from '../lookup/schedule.ts';
import { type WatchList } from './watch-list.ts';

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();
const chain = payingChain();
let tests = 0;

beforeEach(() => {
  const toFake = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.parse('2026-11-22T08:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Fixture extends AsyncDisposable {
  readonly lookup: ChainLookup;
  readonly list: WatchList;
  /** An address that a block has paid, and one that it can pay. */
  readonly from: string;
  readonly to: string;
  /** Spends all that `from` has, paying so much to `to`. */
  readonly pay: (amount: bigint) => { readonly txid: string; readonly raw: Uint8Array };
  /** The transactions that are told of an address, with their heights. */
  readonly told: (name: string) => Promise<readonly (readonly [string, number])[]>;
}

async function open(): Promise<Fixture> {
  tests += 1;
  const [from, to] = [`from ${tests}`, `to ${tests}`];
  chain.pay(testScript(from).script, 90_000n);
  chain.mine(1);
  const lookup = new ChainLookup(chain);
  const schedule = fastSchedule({ everyMs: HOUR_MS, windowMs: 1_000, random: () => 0.5 });
  const list = watchListOver({ lookup, schedule });
  const fixture: Fixture = {
    lookup,
    list,
    from,
    to,
    pay: (amount) => spendAll(chain, from, { script: testScript(to).script, amount }),
    told: async (name) => {
      const { entries } = await list.history(testScript(name).scriptHash, { signal });
      return entries.map(({ txid, height }) => [txid, height] as const);
    },
    [Symbol.asyncDispose]: () => list[Symbol.asyncDispose](),
  };
  for (const name of [from, to]) list.subscribe(testScript(name).scriptHash, () => undefined);
  await pass(100);
  lookup.asked.length = 0;
  return fixture;
}

test('a transaction that replaces one of ours takes its place', async () => {
  await using fixture = await open();
  const { list, pay, told, from, to } = fixture;
  const [first, second] = [pay(10_000n), pay(20_000n)];
  list.addOwn(first.raw);
  chain.broadcast(first.raw);
  // A gateway that knows only the first says so.
  await pass(2 * HOUR_MS);
  assert.deepEqual(await told(to), [[first.txid, 0]]);
  list.addOwn(second.raw);
  assert.deepEqual(await told(to), [[second.txid, 0]]);
  await pass(2 * HOUR_MS);
  assert.deepEqual(await told(to), [[second.txid, 0]]);
  assert.deepEqual((await told(from)).at(-1), [second.txid, 0]);
  assert.equal((await told(from)).length, 2);
  // Once a block holds the first, the second can never be.
  chain.mine(1);
  await pass(2_000);
  assert.deepEqual(await told(to), [[first.txid, chain.tip.height]]);
  assert.deepEqual((await told(from)).at(-1), [first.txid, chain.tip.height]);
  assert.equal(list.entryOf(second.txid), undefined);
});

test('a transaction of ours is shown as confirmed everywhere once any history proves it', async () => {
  await using fixture = await open();
  const { list, lookup, pay, told, from, to } = fixture;
  const { raw, txid } = pay(10_000n);
  list.addOwn(raw);
  chain.broadcast(raw);
  const withoutIt = lookup.answer(testScript(`nobody ${tests}`).scriptHash);
  const { answer } = lookup;
  chain.mine(1);
  // The gateway of the payee never heard of it.
  lookup.answer = (scriptHash) =>
    scriptHash === testScript(to).scriptHash ? { ...withoutIt, scriptHash } : answer(scriptHash);
  await pass(2_000);
  const { height } = chain.tip;
  assert.deepEqual(await told(to), [[txid, height]]);
  assert.deepEqual((await told(from)).at(-1), [txid, height]);
  await pass(75 * HOUR_MS);
  assert.deepEqual(await told(to), [[txid, height]]);
});

test('a transaction of ours that no block takes is shown for 72 hours', async () => {
  await using fixture = await open();
  const { list, pay, told, to, from } = fixture;
  const { raw, txid } = pay(10_000n);
  list.addOwn(raw);
  await pass(71 * HOUR_MS);
  assert.deepEqual(await told(to), [[txid, 0]]);
  assert.equal((await told(from)).length, 2);
  await pass(2 * HOUR_MS);
  chain.mine(1);
  assert.deepEqual(await told(to), []);
  assert.equal((await told(from)).length, 1);
  assert.equal(list.entryOf(txid), undefined);
});

test('what builds on a transaction of ours is unconfirmed as Electrum says it, and falls with it', async () => {
  await using fixture = await open();
  const { list, pay, told, from, to } = fixture;
  const parent = pay(10_000n);
  const [replacement, other] = [pay(11_000n), testScript(`other ${tests}`)];
  chain.broadcast(parent.raw);
  const child = spendAll(chain, to, { script: other.script, amount: 1_000n });
  list.addOwn(parent.raw);
  list.addOwn(child.raw);
  assert.deepEqual(await told(to), [
    [parent.txid, 0],
    [child.txid, -1],
  ]);
  assert.equal((await told(from)).length, 2);
  list.addOwn(replacement.raw);
  assert.deepEqual(await told(to), [[replacement.txid, 0]]);
  assert.equal(list.entryOf(child.txid), undefined);
});

test('an address that is subscribed to later shows what was broadcast before', async () => {
  await using fixture = await open();
  const { list, lookup, from } = fixture;
  const late = testScript(`late ${tests}`);
  const { raw, txid } = spendAll(chain, from, { script: late.script, amount: 7_000n });
  list.addOwn(raw);
  const history = list.history(late.scriptHash, { signal });
  await pass(100);
  assert.deepEqual(
    (await history).entries.map((entry) => entry.txid),
    [txid],
  );
  assert.equal((await history).unconfirmed, 7_000n);
  assert.deepEqual(lookup.asked, [late.scriptHash]);
});
