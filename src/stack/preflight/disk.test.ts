import assert from 'node:assert/strict';
import { test } from 'vitest';
import { diskNeeds, sumOf, targetFor } from '../disk-needs.ts';
import { homeAt } from '../home.ts';
import { configFrom } from '../init/choices.ts';
import { describeSync, estimateSync } from '../sync-estimate.ts';
import { memoryCheck } from './memory.ts';

test('Fulcrum on mainnet needs over a terabyte, electrs fits where that is not', () => {
  assert.ok(sumOf(diskNeeds('mainnet', 'fulcrum'), 'now') > 1000);
  assert.equal(targetFor('mainnet', 1900), 'fulcrum');
  assert.equal(targetFor('mainnet', 950), 'electrs');
  assert.equal(targetFor('regtest', 5), 'devnet');
});

test('only what was measured is not called an estimate', () => {
  assert.ok(diskNeeds('mainnet', 'fulcrum').every(({ isEstimate }) => !isEstimate));
  assert.ok(diskNeeds('signet', 'electrs').every(({ isEstimate }) => isEstimate));
});

test('the first sync of mainnet takes days, less with blocks of one’s own, and nothing on regtest', () => {
  const mainnet = { network: 'mainnet', target: 'fulcrum' } as const;
  const words = describeSync(estimateSync(mainnet, 0)) ?? '';
  assert.match(words, /about \d+ days to \d+ days \(an estimate/);
  assert.deepEqual(estimateSync(mainnet, 900).downloadHours, [0, 0]);
  const regtest = estimateSync({ network: 'regtest', target: 'devnet' }, 0);
  assert.equal(describeSync(regtest), undefined);
});

test('memory is judged for what will run', async () => {
  const verdictOf = async (network: string, target: string, mib: number): Promise<string> => {
    const config = configFrom({ network, target });
    const subject = { config, home: homeAt('/nowhere'), user: { uid: 0, gid: 0 } };
    const outcome = await memoryCheck(subject, mib).run({ signal: new AbortController().signal });
    return outcome.verdict;
  };
  assert.equal(await verdictOf('mainnet', 'fulcrum', 1024), 'fail');
  assert.equal(await verdictOf('mainnet', 'fulcrum', 2048), 'warn');
  assert.equal(await verdictOf('mainnet', 'fulcrum', 8192), 'ok');
  assert.equal(await verdictOf('regtest', 'devnet', 1024), 'ok');
});
