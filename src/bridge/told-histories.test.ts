import assert from 'node:assert/strict';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { payingChain, testScript } from '../../test/chain-histories.ts';
import { seededNumbers } from '../../test/seeded-numbers.ts';
import { ChainLookup, pass, spendAll, watchListOver } from '../../test/watch-fixture.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { balanceOf } from '../lookup/balance.ts';
import { type VerifiedEntry, type VerifiedHistory } from '../lookup/lookup.ts';
import { fastSchedule } from '../lookup/schedule.ts';
import { leadsToChain } from './still-proved.ts';

const STEPS = 40;
const chain = payingChain();
const { signal } = new AbortController();

beforeEach(() => {
  const toFake = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.parse('2026-11-22T08:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([2, 6])(
  'whatever happens, nothing that is told contradicts another (%i)',
  async (seed) => {
    const names = Array.from({ length: 6 }, (_, index) => `walked ${seed} ${index}`);
    const random = seededNumbers(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
    const lookup = new ChainLookup(chain);
    const truth = lookup.answer;
    const views = new Map<string, VerifiedHistory>();
    lookup.delayMs = 400;
    lookup.answer = (scriptHash) => {
      const view = truth(scriptHash);
      const earlier = views.get(scriptHash);
      views.set(scriptHash, view);
      // Some gateways are behind.
      return earlier !== undefined && below(4) === 0 ? earlier : view;
    };
    const schedule = fastSchedule({ everyMs: 20_000, windowMs: 2_000, random });
    await using list = watchListOver({ lookup, schedule, limits: { atOnce: 3 } });
    /** What each wallet believes of each script. */
    const wallets = Array.from({ length: 3 }, () => new Map<string, string | null>());
    const connect = (wallet: Map<string, string | null>): (() => void) => {
      const subscriptions = names.map((name) => {
        const { scriptHash } = testScript(name);
        const subscription = list.subscribe(scriptHash, (status) => wallet.set(scriptHash, status));
        subscription.first.then(
          (status) => wallet.set(scriptHash, status),
          () => undefined,
        );
        return subscription;
      });
      return () => {
        for (const subscription of subscriptions) subscription.stop();
        wallet.clear();
      };
    };
    const connections = wallets.map(connect);
    await pass(5_000);

    const assertConsistent = async (): Promise<void> => {
      const heights = new Map<string, number>();
      const proved = new Map<string, string>();
      const entries: VerifiedEntry[] = [];
      for (const name of names) {
        const { scriptHash } = testScript(name);
        const history = await list.history(scriptHash, { signal });
        assert.equal(history.status, historyStatus(history.entries));
        for (const wallet of wallets) {
          if (wallet.has(scriptHash)) assert.equal(wallet.get(scriptHash), history.status);
        }
        const { touching, ...balance } = balanceOf(history.entries, scriptHash);
        assert.ok(touching > 0 || history.entries.length === 0);
        const { confirmed, unconfirmed, unspent } = history;
        assert.deepEqual({ confirmed, unconfirmed, unspent }, balance);
        entries.push(...history.entries);
      }
      for (const entry of entries) {
        // No reorganisation here goes deeper.
        if (entry.height > chain.tip.height - 4) {
          assert.ok(leadsToChain(entry, lookup.headers));
        }
        assert.equal(heights.get(entry.txid) ?? entry.height, entry.height);
        heights.set(entry.txid, entry.height);
        assert.equal(list.entryOf(entry.txid)?.height, entry.height);
        if (!entry.proved) continue;
        for (const { txid, vout } of entry.transaction.inputs) {
          proved.set(`${txid}:${vout}`, entry.txid);
        }
      }
      for (const { txid: spender, transaction } of entries) {
        for (const { txid, vout } of transaction.inputs) {
          assert.equal(proved.get(`${txid}:${vout}`) ?? spender, spender);
        }
      }
    };

    const spend = (): void => {
      const name = pick(names);
      const { unconfirmed, confirmed } = chain.ledger.balance(testScript(name).scriptHash);
      if (confirmed + unconfirmed < 20_000n) return;
      const to = { script: testScript(pick(names)).script, amount: 5_000n };
      const { raw } = spendAll(chain, name, to);
      chain.broadcast(raw);
      if (below(2) === 0) list.addOwn(raw);
    };
    const reconnect = (): void => {
      const index = below(wallets.length);
      connections[index]?.();
      const wallet = wallets[index];
      if (wallet !== undefined) connections[index] = connect(wallet);
    };
    const actions = [
      () => chain.pay(testScript(pick(names)).script, 50_000n),
      spend,
      spend,
      () => {
        chain.mine(1);
      },
      () => {
        chain.reorg(1 + below(2));
      },
      reconnect,
    ];
    for (let step = 0; step < STEPS; step += 1) {
      pick(actions)();
      await pass(below(3) === 0 ? below(20_000) : 1);
      await assertConsistent();
    }
    lookup.answer = truth;
    chain.mine(1);
    await pass(60_000);
    await assertConsistent();
    for (const name of names) {
      const { scriptHash } = testScript(name);
      const { status } = await list.history(scriptHash, { signal });
      assert.equal(status, chain.ledger.status(scriptHash));
    }
  },
  60_000,
);
