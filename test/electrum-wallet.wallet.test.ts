import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf } from '../src/devnet/purse.ts';
import { startChild } from '../src/io/child-process.ts';
import { formatAddress } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';

/** A segwit seed of Electrum's own tests. */
const WALLET_SEED =
  'wild father tree among universe such mobile favorite target dynamic credit identify';
const MINER_SEED = new Uint8Array(32).fill(4);
const NEVER = new AbortController().signal;
const electrum = await findProgram('electrum');

type Electrum = (...args: readonly string[]) => Promise<string>;

/** Waits until Electrum says what is expected. */
async function awaitWords(what: string, ask: () => Promise<boolean>): Promise<void> {
  await waitUntil(async () => (await ask()) || undefined, {
    what,
    timeoutMs: 60_000,
    intervalMs: 250,
    signal: NEVER,
  });
}

interface HistoryEntry {
  readonly txid: string;
  readonly confirmations: number;
}

async function confirmationsOf(run: Electrum, txid: string): Promise<number | undefined> {
  const history = JSON.parse(await run('onchain_history')) as {
    readonly transactions: readonly HistoryEntry[];
  };
  return history.transactions.find((entry) => entry.txid === txid)?.confirmations;
}

test.skipIf(electrum === undefined)(
  electrum === undefined
    ? 'SKIPPED because electrum is not on PATH: a real Electrum wallet uses the devnet'
    : 'a real Electrum wallet receives, spends, and follows a reorganisation of the devnet',
  async () => {
    await using scope = new Scope();
    const directory = scope.use(await makeTemporaryDirectory());
    const backend = scope.use(
      await startEmbeddedChain({ seed: MINER_SEED, clock: Date.now, port: 0, log: silent }),
    );
    const options = ['--regtest', '-D', directory.path];
    const run: Electrum = async (...args) => {
      const [command = '', ...rest] = args;
      const { stdout } = await promisify(execFile)('electrum', [command, ...options, ...rest]);
      return stdout.trim();
    };
    for (const [key, value] of [
      ['dont_show_testnet_warning', 'true'],
      ['oneserver', 'true'],
      ['auto_connect', 'false'],
      ['server', `${formatAddress(backend.electrum)}:t`],
    ] as const) {
      await run('setconfig', '--offline', key, value);
    }
    await run('restore', '--offline', WALLET_SEED);
    scope.use(
      await startChild({
        command: 'electrum',
        args: ['daemon', ...options],
        signal: NEVER,
        stopTimeoutMs: 10_000,
      }),
    );
    await awaitWords('the wallet to load', () =>
      run('load_wallet').then(
        () => true,
        () => false,
      ),
    );
    await awaitWords(
      'the wallet to synchronize',
      async () => (await run('is_synchronized')) === 'true',
    );

    const received = await backend.pay(await run('getunusedaddress'), 1_000_000n);
    const balance = async (): Promise<unknown> => JSON.parse(await run('getbalance'));
    await awaitWords('the payment', async () => (await confirmationsOf(run, received)) === 0);
    assert.deepEqual(await balance(), { confirmed: '0', unconfirmed: '0.01' });
    await backend.mine(1);
    await awaitWords('its confirmation', async () => (await confirmationsOf(run, received)) === 1);
    assert.deepEqual(await balance(), { confirmed: '0.01' });

    const shop = purseOf(MINER_SEED, 'shop');
    const raw = await run('payto', shop.address, '0.004', '-f', '0.0001');
    const spent = await run('broadcast', raw);
    assert.deepEqual(backend.chain.ledger.balance(shop.scriptHash), {
      confirmed: 0n,
      unconfirmed: 400_000n,
    });
    await backend.mine(1);
    await awaitWords('the spend', async () => (await confirmationsOf(run, spent)) === 1);
    assert.deepEqual(await balance(), { confirmed: '0.0059' });

    await backend.reorg(1);
    await awaitWords('the reorganisation', async () => (await confirmationsOf(run, spent)) === 0);
    await backend.mine(1);
    await awaitWords('the spend again', async () => (await confirmationsOf(run, spent)) === 1);
    const info = JSON.parse(await run('getinfo')) as { readonly blockchain_height: number };
    assert.equal(info.blockchain_height, backend.chain.tip.height);
    assert.deepEqual(await balance(), { confirmed: '0.0059' });
  },
);
