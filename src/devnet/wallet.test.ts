import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { addressOfScript } from '../bitcoin/address.ts';
import { startEmbeddedChain, type EmbeddedChain } from './embedded-chain.ts';
import { fundWallet } from './wallet.ts';

const SEED = new Uint8Array(32).fill(3);
const NOW = Date.parse('2026-11-22T08:00:00Z');

function start(): Promise<EmbeddedChain> {
  return startEmbeddedChain({ seed: SEED, clock: () => NOW, port: 0, log: silent });
}

test('every address has the history that its use promises', async () => {
  await using backend = await start();
  const wallet = await fundWallet(backend, { seed: SEED, addresses: 20 });
  assert.equal(new Set(wallet.map(({ address }) => address)).size, 20);
  const counts = { once: 1, several: 3, busy: 0, mempool: 1, unused: 0 };
  for (const { address, script, scriptHash, use, txids } of wallet) {
    assert.equal(addressOfScript(script, 'regtest'), address);
    const history = backend.chain.ledger.history(scriptHash);
    assert.equal(history.length, counts[use]);
    assert.deepEqual(new Set(history.map(({ txid }) => txid)), new Set(txids));
    for (const { height } of history) assert.equal(height > 0, use !== 'mempool');
  }
  assert.deepEqual(
    wallet.map(({ use }) => use).filter((use) => use !== 'once'),
    ['several', 'several', 'several', 'several', 'several', 'mempool', 'unused'],
  );
});

test('the same seed makes the same wallet on an equal chain', async () => {
  await using first = await start();
  await using second = await start();
  assert.deepEqual(
    await fundWallet(first, { seed: SEED, addresses: 5 }),
    await fundWallet(second, { seed: SEED, addresses: 5 }),
  );
});

test('the first address can have 200 transactions in blocks of few', async () => {
  await using backend = await start();
  const [busy] = await fundWallet(backend, { seed: SEED, addresses: 3, busiest: 200 });
  const history = backend.chain.ledger.history(busy?.scriptHash ?? '');
  assert.equal(history.length, 200);
  assert.ok(new Set(history.map(({ height }) => height)).size >= 10);
});

test('a wallet of fewer than 3 addresses is refused', async () => {
  await using backend = await start();
  await assert.rejects(fundWallet(backend, { seed: SEED, addresses: 2 }), RangeError);
});
