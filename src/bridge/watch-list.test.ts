import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { payingChain, testScript } from '../../test/chain-histories.ts';
import {
  ChainLookup,
  MemoryCache,
  pass,
  spendAll,
  watchListOver,
} from '../../test/watch-fixture.ts';
import { LookupError, NOBODY } from '../lookup/fault.ts';
import { fastSchedule } from '../lookup/schedule.ts';
import { type WatchList } from './watch-list.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { signal } = new AbortController();

beforeEach(() => {
  const toFake = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.parse('2026-11-22T08:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A wallet's subscription: what it was told, the first status included. */
interface Told {
  readonly statuses: (string | null)[];
  readonly failures: unknown[];
  readonly stop: () => void;
}

function subscribe(list: WatchList, scriptHash: string): Told {
  const told: Told = {
    statuses: [],
    failures: [],
    stop: () => {
      subscription.stop();
    },
  };
  const subscription = list.subscribe(scriptHash, (status) => told.statuses.push(status));
  void subscription.first.then(
    (status) => told.statuses.push(status),
    (error: unknown) => told.failures.push(error),
  );
  return told;
}

/** A script of its own for each test, all on one chain: mining is what takes the time. */
const chain = payingChain();
let scripts = 0;

function newScript(): ReturnType<typeof testScript> & { readonly name: string } {
  const name = `watched ${(scripts += 1)}`;
  return { name, ...testScript(name) };
}

function newScripts(count: number): readonly ReturnType<typeof newScript>[] {
  return Array.from({ length: count }, newScript);
}

function fastList(lookup: ChainLookup, cache = new MemoryCache()): WatchList {
  const schedule = fastSchedule({ everyMs: 60_000, windowMs: 5_000, random: () => 0.5 });
  return watchListOver({ lookup, cache, schedule });
}

function failing(code: LookupError['code']): () => never {
  return () => {
    throw new LookupError(code, 'It failed.', { culprit: NOBODY });
  };
}

test('a status is told when the history that has it is held', async () => {
  const { script, scriptHash } = newScript();
  chain.pay(script, 50_000n);
  chain.mine(1);
  const lookup = new ChainLookup(chain);
  lookup.delayMs = 500;
  await using list = watchListOver({ lookup });
  const { statuses } = subscribe(list, scriptHash);
  await pass(400);
  assert.deepEqual(statuses, []);
  await pass(200);
  assert.deepEqual(statuses, [chain.ledger.status(scriptHash)]);
  const history = await list.history(scriptHash, { signal });
  assert.equal(history.status, statuses[0]);
  assert.equal(history.confirmed, 50_000n);
  assert.equal(lookup.asked.length, 1);
});

test('wallets that want the same script share one question, and all are told of changes', async () => {
  const { script, scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  await using list = fastList(lookup);
  const wallets = [subscribe(list, scriptHash), subscribe(list, scriptHash)];
  const asked = list.history(scriptHash, { signal });
  await pass(100);
  assert.equal((await asked).status, null);
  assert.equal(lookup.asked.length, 1);
  chain.pay(script, 1_000n);
  chain.mine(1);
  await pass(5_000);
  for (const { statuses } of wallets) {
    assert.deepEqual(statuses, [null, chain.ledger.status(scriptHash)]);
  }
  assert.equal(lookup.asked.length, 2);
});

test('subscriptions that come together go out in another order, so many at a time', async () => {
  const lookup = new ChainLookup(chain);
  lookup.delayMs = 2_000;
  await using list = watchListOver({ lookup, limits: { windowMs: 1_500, atOnce: 7 } });
  const scriptHashes = newScripts(40).map(({ scriptHash }) => scriptHash);
  for (const scriptHash of scriptHashes) subscribe(list, scriptHash);
  await pass(0);
  assert.equal(list.stats().waiting, 40);
  await pass(1_510);
  assert.equal(lookup.asked.length, 7);
  await pass(20_000);
  assert.deepEqual(lookup.asked.toSorted(), scriptHashes.toSorted());
  assert.notDeepEqual(lookup.asked, scriptHashes);
  assert.equal(lookup.mostUnderWay, 7);
  assert.deepEqual(list.stats().lastProof?.tip.height, chain.tip.height);
});

test('a burst of subscriptions goes out in parts, over the whole of the window and no longer', async () => {
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup, limits: { windowMs: 1_500, atOnce: 1_000 } });
  for (const { scriptHash } of newScripts(200)) subscribe(list, scriptHash);
  const after: number[] = [];
  for (let part = 0; part < 3; part += 1) {
    await pass(503);
    after.push(lookup.asked.length);
  }
  const [first = 0, second = 0, third = 0] = after;
  assert.ok(first > 30 && second - first > 30 && third - second > 30, after.join());
  assert.equal(third, 200);
});

test('a restarted bridge answers at once with what it had, and asks nobody for it', async () => {
  const { script, scriptHash } = newScript();
  chain.pay(script, 70_000n);
  chain.mine(1);
  const cache = new MemoryCache();
  {
    await using list = watchListOver({ lookup: new ChainLookup(chain), cache });
    subscribe(list, scriptHash);
    await pass(100);
  }
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup, cache });
  const { statuses } = subscribe(list, scriptHash);
  await pass(0);
  assert.deepEqual(statuses, [chain.ledger.status(scriptHash)]);
  await pass(HOUR_MS);
  assert.deepEqual(lookup.asked, []);
  await pass(3 * HOUR_MS);
  assert.deepEqual(lookup.asked, [scriptHash]);
});

test('a wallet waits while a failed question is put again', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  const { answer } = lookup;
  lookup.answer = failing('link-broken');
  await using list = watchListOver({ lookup });
  const told = subscribe(list, scriptHash);
  await pass(4_000);
  assert.ok(lookup.asked.length >= 3);
  assert.deepEqual(told.statuses, []);
  lookup.answer = answer;
  await pass(8_000);
  assert.deepEqual(told.statuses, [null]);
});

test('a wallet gets the reason in time when a history cannot be fetched', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  const { answer } = lookup;
  lookup.answer = failing('gateway-unreachable');
  await using list = watchListOver({ lookup, limits: { patienceMs: 20_000 } });
  const told = subscribe(list, scriptHash);
  await pass(20_000);
  assert.deepEqual(told.statuses, []);
  assert.equal((told.failures[0] as LookupError).code, 'gateway-unreachable');
  // Nobody waits any more, so nobody is asked.
  const asked = lookup.asked.length;
  await pass(HOUR_MS);
  assert.ok(lookup.asked.length <= asked);
  lookup.answer = answer;
  const again = subscribe(list, scriptHash);
  await pass(1_000);
  assert.deepEqual(again.statuses, [null]);
});

test('a question that takes too long is told as such', async () => {
  const lookup = new ChainLookup(chain);
  lookup.delayMs = 60_000;
  await using list = watchListOver({ lookup, limits: { patienceMs: 20_000 } });
  const told = subscribe(list, newScript().scriptHash);
  await pass(20_000);
  assert.equal((told.failures[0] as LookupError).code, 'no-answer');
});

test('a history that is too long is refused at once, and not asked for again for an hour', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  lookup.answer = failing('history-too-long');
  await using list = watchListOver({ lookup });
  const first = subscribe(list, scriptHash);
  await pass(10);
  assert.equal((first.failures[0] as LookupError).code, 'history-too-long');
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { failures } = subscribe(list, scriptHash);
    await pass(60_000);
    assert.equal(failures.length, 1);
  }
  assert.equal(lookup.asked.length, 1);
  await pass(HOUR_MS / 4);
  subscribe(list, scriptHash);
  await pass(10);
  assert.equal(lookup.asked.length, 2);
});

test('what nobody waits for any more is not asked', async () => {
  const lookup = new ChainLookup(chain);
  lookup.delayMs = 1_000;
  await using list = watchListOver({ lookup, limits: { atOnce: 1 } });
  const wallets = newScripts(10).map(({ scriptHash }) => subscribe(list, scriptHash));
  await pass(500);
  for (const { stop } of wallets) stop();
  await pass(20_000);
  assert.equal(lookup.asked.length, 1);
});

test('in steady mode neither wallets nor blocks cause a question about what is held', async () => {
  const watched = newScripts(5);
  for (const { script } of watched) chain.pay(script, 20_000n);
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup });
  const wallets = watched.map(({ scriptHash }) => subscribe(list, scriptHash));
  await pass(100);
  for (const { stop } of wallets) stop();
  for (let hour = 0; hour < 2; hour += 1) {
    await pass(HOUR_MS);
    chain.mine(1);
    for (const { scriptHash } of watched) {
      subscribe(list, scriptHash);
      await list.history(scriptHash, { signal });
    }
  }
  assert.equal(lookup.asked.length, 5);
});

test('in fast mode a block brings on questions about what an open wallet wants, within the window', async () => {
  const [open, closed] = newScripts(2);
  assert.ok(open && closed);
  const lookup = new ChainLookup(chain);
  await using list = fastList(lookup);
  subscribe(list, open.scriptHash);
  subscribe(list, closed.scriptHash).stop();
  const gone = subscribe(list, closed.scriptHash);
  await pass(100);
  gone.stop();
  await pass(2 * HOUR_MS);
  lookup.asked.length = 0;
  chain.mine(1);
  await pass(5_000);
  assert.ok(lookup.asked.length >= 1);
  assert.ok(lookup.asked.every((scriptHash) => scriptHash === open.scriptHash));
});

test('in fast mode a wallet that finds a restarted bridge sees soon what was paid meanwhile', async () => {
  const { script, scriptHash } = newScript();
  const cache = new MemoryCache();
  {
    await using list = fastList(new ChainLookup(chain), cache);
    subscribe(list, scriptHash);
    await pass(100);
  }
  chain.pay(script, 70_000n);
  await using list = fastList(new ChainLookup(chain), cache);
  const { statuses } = subscribe(list, scriptHash);
  await pass(5_000);
  assert.deepEqual(statuses, [null, chain.ledger.status(scriptHash)]);
});

test('a block proves a transaction in all histories at once', async () => {
  const [payer, payee] = newScripts(2);
  assert.ok(payer && payee);
  chain.pay(payer.script, 90_000n);
  chain.mine(1);
  chain.broadcast(spendAll(chain, payer.name, { script: payee.script, amount: 30_000n }).raw);
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup });
  const atPayer = subscribe(list, payer.scriptHash);
  await pass(100);
  chain.mine(1);
  assert.equal(lookup.asked.length, 1);
  const atPayee = subscribe(list, payee.scriptHash);
  await pass(100);
  assert.deepEqual(lookup.asked, [payer.scriptHash, payee.scriptHash]);
  assert.equal(atPayer.statuses.at(-1), chain.ledger.status(payer.scriptHash));
  assert.equal(atPayee.statuses.at(-1), chain.ledger.status(payee.scriptHash));
  assert.equal(atPayer.statuses.length, 2);
});

test('what left the chain is told as unconfirmed at once, and only that is asked for anew', async () => {
  const [old, young] = newScripts(2);
  assert.ok(old && young);
  chain.pay(old.script, 10_000n);
  chain.mine(3);
  const txid = chain.pay(young.script, 20_000n);
  chain.mine(1);
  const lookup = new ChainLookup(chain);
  lookup.delayMs = 1_000;
  await using list = watchListOver({ lookup });
  const wallets = [old, young].map(({ scriptHash }) => subscribe(list, scriptHash));
  await pass(2_000);
  lookup.asked.length = 0;
  chain.reorg(1);
  const unconfirmed = await list.history(young.scriptHash, { signal });
  assert.deepEqual(
    unconfirmed.entries.map((entry) => [entry.txid, entry.height, entry.proved]),
    [[txid, 0, false]],
  );
  assert.deepEqual([unconfirmed.confirmed, unconfirmed.unconfirmed], [0n, 20_000n]);
  assert.equal(list.entryOf(txid)?.proved, false);
  chain.mine(1);
  await pass(2_000);
  assert.deepEqual(lookup.asked, [young.scriptHash]);
  assert.deepEqual(wallets[1]?.statuses.slice(1), [
    unconfirmed.status,
    chain.ledger.status(young.scriptHash),
  ]);
  assert.equal(wallets[0]?.statuses.length, 1);
});

test('what was lost while the bridge was off is asked for at its start', async () => {
  const { script, scriptHash } = newScript();
  chain.pay(script, 10_000n);
  chain.mine(1);
  const cache = new MemoryCache();
  cache.lostAtOpening = [scriptHash];
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup, cache });
  await pass(100);
  assert.deepEqual(lookup.asked, [scriptHash]);
  const { statuses } = subscribe(list, scriptHash);
  await pass(0);
  assert.deepEqual(statuses, [chain.ledger.status(scriptHash)]);
});

test('a source that leaves out what a block proves does not take it away', async () => {
  const { script, scriptHash } = newScript();
  chain.pay(script, 10_000n);
  chain.mine(1);
  const lookup = new ChainLookup(chain);
  const stale = lookup.answer(newScript().scriptHash);
  await using list = fastList(lookup);
  const { statuses } = subscribe(list, scriptHash);
  await pass(100);
  lookup.answer = () => ({ ...stale, scriptHash });
  await pass(10 * 60_000);
  assert.ok(lookup.asked.length > 5);
  assert.deepEqual(statuses, [chain.ledger.status(scriptHash)]);
});

test('a transaction of ours is shown at once where it spends and pays, and nobody is asked', async () => {
  const [from, to] = newScripts(2);
  assert.ok(from && to);
  chain.pay(from.script, 80_000n);
  chain.mine(1);
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup });
  const wallets = [from, to].map(({ scriptHash }) => subscribe(list, scriptHash));
  await pass(100);
  lookup.asked.length = 0;
  const spend = spendAll(chain, from.name, { script: to.script, amount: 30_000n });
  list.addOwn(spend.raw);
  chain.broadcast(spend.raw);
  for (const [index, { scriptHash }] of [from, to].entries()) {
    assert.equal(wallets[index]?.statuses.at(-1), chain.ledger.status(scriptHash));
    assert.equal(wallets[index].statuses.length, 2);
    const { unconfirmed } = await list.history(scriptHash, { signal });
    assert.equal(unconfirmed, chain.ledger.balance(scriptHash).unconfirmed);
  }
  assert.deepEqual(list.entryOf(spend.txid)?.raw, spend.raw);
  await pass(HOUR_MS);
  assert.deepEqual(lookup.asked, []);
});

test('a subscription that was stopped is told nothing more', async () => {
  const { script, scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  await using list = fastList(lookup);
  const told = subscribe(list, scriptHash);
  await pass(100);
  told.stop();
  chain.pay(script, 5_000n);
  await pass(10 * 60_000);
  assert.deepEqual(told.statuses, [null]);
});

test('a hint of the server brings on a question, and not more than one in a second', async () => {
  const { script, scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  lookup.giveHints(chain);
  await using list = watchListOver({ lookup });
  const { statuses, stop } = subscribe(list, scriptHash);
  await pass(100);
  for (let payment = 0; payment < 10; payment += 1) chain.pay(script, 1_000n);
  await pass(1_000);
  assert.deepEqual(statuses, [null, chain.ledger.status(scriptHash)]);
  assert.equal(lookup.asked.length, 2);
  stop();
  await pass(2 * HOUR_MS);
  chain.mine(1);
  assert.equal(lookup.hinted, 0);
});

test('a change that was hinted at is asked for until it is known', async () => {
  const { script, scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  lookup.giveHints(chain);
  await using list = watchListOver({ lookup });
  const { statuses } = subscribe(list, scriptHash);
  await pass(100);
  const { answer } = lookup;
  lookup.answer = failing('server-unreachable');
  chain.pay(script, 1_000n);
  await pass(60_000);
  assert.deepEqual(statuses, [null]);
  lookup.answer = answer;
  await pass(120_000);
  assert.deepEqual(statuses, [null, chain.ledger.status(scriptHash)]);
});

test('a wallet that comes back after hours without a network waits for seconds', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  const { answer } = lookup;
  lookup.answer = failing('relay-unreachable');
  const cache = new MemoryCache();
  cache.lostAtOpening = [scriptHash];
  await using list = watchListOver({ lookup, cache });
  for (let hour = 0; hour < 8; hour += 1) {
    subscribe(list, scriptHash);
    await pass(HOUR_MS);
  }
  lookup.answer = answer;
  const { statuses } = subscribe(list, scriptHash);
  await pass(16_000);
  assert.deepEqual(statuses, [null]);
});

test('what no wallet has wanted for 30 days is asked for no more and forgotten', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  const cache = new MemoryCache();
  await using list = watchListOver({ lookup, cache });
  const { stop } = subscribe(list, scriptHash);
  await pass(100);
  stop();
  await pass(29 * DAY_MS);
  chain.mine(1);
  // The process has a mean of four hours, and this one's random numbers are all the same.
  assert.ok(lookup.asked.length > 200);
  assert.equal(cache.size, 1);
  await pass(2 * DAY_MS);
  chain.mine(1);
  const asked = lookup.asked.length;
  await pass(5 * DAY_MS);
  assert.equal(lookup.asked.length, asked);
  assert.equal(cache.size, 0);
  assert.equal(list.stats().cached, 0);
});

test('a flood of subscriptions is refused when the list is full, and held scripts stay', async () => {
  const { scriptHash } = newScript();
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup, limits: { maxScripts: 30 } });
  const owner = subscribe(list, scriptHash);
  await pass(100);
  const flood = Array.from({ length: 300 }, (_, index) =>
    subscribe(list, index.toString(16).padStart(64, '0')),
  );
  await pass(10_000);
  assert.equal(lookup.asked.length, 30);
  assert.equal(flood.filter(({ failures }) => failures.length > 0).length, 271);
  for (const { stop } of flood) stop();
  owner.stop();
  assert.equal(subscribe(list, scriptHash).failures.length, 0);
  const late = newScript().scriptHash;
  const refused = subscribe(list, late);
  await pass(100);
  assert.equal(refused.failures.length, 1);
  // After a day the places of those that have gone are free.
  await pass(DAY_MS);
  lookup.asked.length = 0;
  const admitted = subscribe(list, late);
  await pass(100);
  assert.deepEqual(admitted.statuses, [null]);
  assert.equal(list.stats().cached, 30);
});

test('a first history that does not fit into memory is refused', async () => {
  const { script, scriptHash } = newScript();
  chain.pay(script, 1_000n);
  const lookup = new ChainLookup(chain);
  await using list = watchListOver({ lookup, limits: { maxBytes: 1_000 } });
  const told = subscribe(list, scriptHash);
  await pass(100);
  assert.equal(told.failures.length, 1);
  assert.equal(list.stats().cached, 0);
});
