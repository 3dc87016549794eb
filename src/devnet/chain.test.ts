import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { hashOf, parseHeader } from '../bitcoin/block-header.ts';
import { targetOf } from '../bitcoin/compact-target.ts';
import { parseTransaction } from '../bitcoin/transaction.ts';
import { historyStatus } from '../electrum/history-status.ts';
import { foldBranch } from '../electrum/merkle.ts';
import { RegtestChain } from './chain.ts';
import { inputsAreSigned } from './chain-script.ts';
import { purseOf } from './purse.ts';

const SEED = new Uint8Array(32).fill(1);
const NOW = Date.parse('2026-11-22T08:00:00Z');
const PURSES = Array.from({ length: 8 }, (_, index) => purseOf(SEED, `test ${index}`));
const [ALICE, BOB] = PURSES as [(typeof PURSES)[0], (typeof PURSES)[0]];

function newChain(blocks = 0): RegtestChain {
  const chain = new RegtestChain({ seed: SEED, clock: () => NOW });
  chain.mine(blocks);
  return chain;
}

/** What holds at every moment, whatever happened before. */
function assertConsistent(chain: RegtestChain): void {
  const scripts = new Set<string>();
  chain.blocks.forEach((block, height) => {
    const header = parseHeader(block.header);
    assert.equal(block.height, height);
    assert.equal(block.hash, hashOf(block.header));
    assert.ok(BigInt(`0x${block.hash}`) <= targetOf(0x207fffff));
    if (height > 0) assert.equal(header.previousHash, chain.blocks[height - 1]?.hash);
    block.transactions.forEach(({ txid, raw, outputs }, position) => {
      assert.equal(parseTransaction(raw).txid, txid);
      const branch = block.tree.branch(position);
      assert.equal(foldBranch({ txid, position, branch }), header.merkleRoot);
      if (height > 0) assert.deepEqual(chain.ledger.entry(txid)?.place, { height, position });
      for (const { scriptHash } of outputs) scripts.add(scriptHash);
    });
  });
  for (const { transaction } of chain.ledger.mempool.values()) {
    for (const input of transaction.inputs) {
      assert.equal(chain.ledger.spenderOf(input), transaction.txid);
      assert.notEqual(chain.ledger.output(input), undefined);
    }
    for (const { scriptHash } of transaction.outputs) scripts.add(scriptHash);
  }
  let total = 0n;
  for (const scriptHash of scripts) {
    const items = chain.ledger.history(scriptHash);
    assert.equal(chain.ledger.status(scriptHash), historyStatus(items));
    assert.equal(new Set(items.map(({ txid }) => txid)).size, items.length);
    const { confirmed, unconfirmed } = chain.ledger.balance(scriptHash);
    const unspent = chain.ledger.unspent(scriptHash);
    const sum = unspent.reduce((all, { value }) => all + value, 0n);
    assert.equal(sum, confirmed + unconfirmed);
    total += sum;
  }
  assert.equal(total, issued(chain) - waitingFees(chain));
}

/** Rewards return the fees of their block, so that only subsidies add to the money. */
function issued(chain: RegtestChain): bigint {
  return chain.blocks
    .slice(1)
    .reduce((all, { height }) => all + (5_000_000_000n >> BigInt(Math.floor(height / 150))), 0n);
}

function waitingFees(chain: RegtestChain): bigint {
  return [...chain.ledger.mempool.values()].reduce((all, { fee }) => all + fee, 0n);
}

test('the chain starts with the block that every regtest node starts with', () => {
  const [genesis] = newChain().blocks;
  assert.equal(genesis?.hash, '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206');
  assert.equal(genesis.tree.root, parseHeader(genesis.header).merkleRoot);
});

test('two chains of one seed and clock are equal', () => {
  const [a, b] = [newChain(101), newChain(101)];
  assert.equal(a.pay(ALICE.script, 1_000_000n), b.pay(ALICE.script, 1_000_000n));
  a.mine(1);
  b.mine(1);
  assert.equal(a.tip.hash, b.tip.hash);
});

test('a coinbase tells its height and commits to the witnesses', () => {
  const chain = newChain(130);
  const script = (height: number): string | undefined =>
    chain.blocks[height]?.transactions[0]?.hex.slice(88, 96);
  assert.equal(script(1)?.slice(0, 2), '51');
  assert.equal(script(16)?.slice(0, 2), '60');
  assert.equal(script(17)?.slice(0, 4), '0111');
  assert.equal(script(127)?.slice(0, 4), '017f');
  assert.equal(script(128)?.slice(0, 6), '028000');
  const commitment = chain.blocks[1]?.transactions[0]?.outputs[1]?.script;
  // BIP 141: SHA256d of the root over one zero leaf and 32 zero bytes.
  assert.equal(
    Buffer.from(commitment ?? []).toString('hex'),
    '6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9',
  );
});

test('a payment waits in the mempool until it is mined', () => {
  const chain = newChain(100);
  const txid = chain.pay(ALICE.script, 50_000n);
  assert.deepEqual(chain.ledger.balance(ALICE.scriptHash), { confirmed: 0n, unconfirmed: 50_000n });
  assert.equal(chain.ledger.history(ALICE.scriptHash)[0]?.height, 0);
  const child = chain.pay(BOB.script, 60_000n);
  assert.equal(chain.ledger.history(BOB.scriptHash)[0]?.height, -1);
  chain.mine(1);
  assert.deepEqual(chain.ledger.balance(ALICE.scriptHash), { confirmed: 50_000n, unconfirmed: 0n });
  assert.deepEqual(
    chain.tip.transactions.slice(1).map((transaction) => transaction.txid),
    [txid, child],
  );
});

test('what the miner pays is signed', () => {
  const chain = newChain(103);
  const txid = chain.pay(ALICE.script, 9_000_000_000n);
  const transaction = chain.ledger.entry(txid)?.transaction;
  assert.ok(transaction);
  const spent = transaction.inputs.flatMap((input) => chain.ledger.output(input) ?? []);
  assert.equal(spent.length, 2);
  assert.ok(inputsAreSigned(transaction, spent));
  const cheaper = spent.map((output) => ({ ...output, value: output.value - 1n }));
  assert.ok(!inputsAreSigned(transaction, cheaper));
});

test('more than the miner has cannot be paid', () => {
  assert.throws(() => newChain(99).pay(ALICE.script, 1_000n), /the miner lacks/);
});

test('a reorganisation returns payments to the mempool and every state to what it was', () => {
  const chain = newChain(101);
  chain.pay(ALICE.script, 50_000n);
  chain.mine(1);
  const before = chain.ledger.status(ALICE.scriptHash);
  const tip = chain.tip;
  chain.pay(BOB.script, 50_000n);
  chain.mine(2);
  chain.reorg(3);
  assert.equal(chain.tip.height, tip.height + 3);
  assert.notEqual(chain.blocks[tip.height]?.hash, tip.hash);
  assert.equal(chain.ledger.mempool.size, 2);
  assertConsistent(chain);
  chain.mine(1);
  assert.notEqual(chain.ledger.status(ALICE.scriptHash), before);
  assert.deepEqual(chain.ledger.balance(ALICE.scriptHash), { confirmed: 50_000n, unconfirmed: 0n });
  assertConsistent(chain);
});

test('a reorganisation drops what spends a reward that is gone', () => {
  const chain = newChain(101);
  chain.pay(ALICE.script, 50_000n);
  chain.mine(1);
  chain.reorg(102);
  assert.equal(chain.tip.height, 103);
  assert.equal(chain.ledger.mempool.size, 0);
  assert.equal(chain.ledger.status(ALICE.scriptHash), null);
  assertConsistent(chain);
});

test('only blocks after the first can be replaced', () => {
  const chain = newChain(2);
  for (const depth of [0, -1, 3, 1.5, NaN])
    assert.throws(() => {
      chain.reorg(depth);
    }, /cannot replace/);
  chain.reorg(2);
  assert.equal(chain.tip.height, 3);
});

test('listeners hear of each change, of its scripts and whether the tip moved', () => {
  const chain = newChain(101);
  const heard: string[] = [];
  const stop = chain.subscribe(({ tip, scriptHashes }) => {
    heard.push(`${tip ? 'tip ' : ''}${scriptHashes.has(ALICE.scriptHash) ? 'alice' : ''}`);
  });
  chain.pay(ALICE.script, 50_000n);
  chain.mine(1);
  chain.mine(1);
  chain.reorg(2);
  stop();
  chain.mine(1);
  assert.deepEqual(heard, ['alice', 'tip alice', 'tip ', 'tip alice']);
});

test('blocks, payments and reorganisations in any order leave a consistent chain', () => {
  const step = fc.oneof(
    fc.record({ pay: fc.nat(PURSES.length - 1), sats: fc.bigInt(1_000n, 3_000_000_000n) }),
    fc.record({ mine: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ reorg: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const chain = newChain(104);
      for (const each of steps) {
        if ('mine' in each) chain.mine(each.mine);
        else if ('reorg' in each) chain.reorg(each.reorg);
        else chain.pay(PURSES[each.pay]?.script ?? ALICE.script, each.sats);
      }
      assertConsistent(chain);
    }),
    { numRuns: 6 },
  );
});

test('100 blocks with 100 transactions are built in seconds, even on a busy machine', () => {
  const start = performance.now();
  const chain = newChain(101);
  for (let paid = 0; paid < 100; paid += 1) {
    chain.pay(PURSES[paid % PURSES.length]?.script ?? ALICE.script, 100_000n);
    chain.mine(1);
  }
  const milliseconds = performance.now() - start;
  assert.equal(chain.tip.height, 201);
  assert.ok(milliseconds < 10_000, `${milliseconds} ms`);
});
