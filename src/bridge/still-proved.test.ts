import assert from 'node:assert/strict';
import { test } from 'vitest';
import { headersOf, payingChain, testScript, verifiedHistory } from '../../test/chain-histories.ts';
import { isStillProved } from './still-proved.ts';

const { script, scriptHash } = testScript('wallet');

test('a history holds while the chain grows, and when only blocks above its proofs are replaced', () => {
  const chain = payingChain();
  chain.pay(script, 50_000n);
  chain.mine(3);
  chain.pay(script, 60_000n);
  const history = verifiedHistory(chain, scriptHash);
  assert.ok(isStillProved(history, headersOf(chain)));
  chain.mine(1);
  assert.ok(isStillProved(history, headersOf(chain)));
  chain.reorg(3);
  assert.ok(isStillProved(history, headersOf(chain)));
});

test('a history whose block was replaced is not proved any more', () => {
  const chain = payingChain();
  chain.pay(script, 50_000n);
  chain.mine(1);
  const history = verifiedHistory(chain, scriptHash);
  chain.reorg(1);
  assert.ok(!isStillProved(history, headersOf(chain)));
});

test('a proof in a block that the chain does not have yet is not believed', () => {
  const chain = payingChain();
  chain.pay(script, 50_000n);
  chain.mine(1);
  const history = verifiedHistory(chain, scriptHash);
  const whole = headersOf(chain);
  const shorter = {
    headerAt: (height: number) => (height > 121 ? undefined : whole.headerAt(height)),
  };
  assert.ok(!isStillProved(history, shorter));
});

test('what is in the mempool only, or empty, needs no block', () => {
  const chain = payingChain();
  const unused = verifiedHistory(chain, testScript('unused').scriptHash);
  chain.pay(script, 50_000n);
  const waiting = verifiedHistory(chain, scriptHash);
  chain.reorg(1);
  assert.ok(isStillProved(unused, headersOf(chain)));
  assert.ok(isStillProved(waiting, headersOf(chain)));
});
