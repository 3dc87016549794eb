import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { test } from 'vitest';
import * as z from 'zod';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startCoreDaemon } from '../src/devnet/core-daemon.ts';
import { startCoreElectrum } from '../src/devnet/core-electrum.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf, signPayment } from '../src/devnet/purse.ts';
import { fundWallet } from '../src/devnet/wallet.ts';
import { type ElectrumClient, startElectrumClient } from '../src/electrum/client.ts';
import type { ElectrumMethod } from '../src/electrum/protocol.ts';
import { ElectrumRpcError } from '../src/electrum/rpc-error.ts';
import { type Address, DialError } from '../src/io/dial.ts';
import { findProgram } from '../src/io/find-program.ts';
import { findFreePorts } from '../src/io/free-ports.ts';
import { loopbackDial } from '../src/io/loopback-dial.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';

const [bitcoind, fulcrum] = await Promise.all([findProgram('bitcoind'), findProgram('Fulcrum')]);
const SEED = new Uint8Array(32).fill(7);
const { signal } = new AbortController();
setMaxListeners(0, signal);

type Question = readonly [method: ElectrumMethod, params: Record<string, unknown>];

/** Fulcrum over bitcoind, which is given the blocks and the mempool of the devnet. */
async function startFulcrum(devnet: EmbeddedChain, scope: Scope): Promise<Address> {
  assert.ok(bitcoind !== undefined && fulcrum !== undefined);
  const { path } = scope.use(await makeTemporaryDirectory());
  const reaper = scope.use(await startReaper());
  const daemon = scope.use(
    await startCoreDaemon({ command: bitcoind, directory: join(path, 'core'), signal, reaper }),
  );
  const give = async (method: string, hex: string): Promise<unknown> =>
    await daemon.rpc.call({ method, params: [hex], result: z.unknown(), signal });
  for (const { headerHex, transactions } of devnet.chain.blocks.slice(1)) {
    assert.ok(transactions.length < 0xfd);
    const count = transactions.length.toString(16).padStart(2, '0');
    const block = `${headerHex}${count}${transactions.map(({ hex }) => hex).join('')}`;
    assert.equal(await give('submitblock', block), null);
  }
  for (const { transaction } of devnet.chain.ledger.mempool.values()) {
    assert.equal(await give('sendrawtransaction', transaction.hex), transaction.txid);
  }
  const [port = 0] = await findFreePorts(1);
  const listen = { host: '127.0.0.1', port };
  const directory = join(path, 'electrum');
  scope.use(
    await startCoreElectrum({ command: fulcrum, daemon, directory, listen, signal, reaper }),
  );
  return listen;
}

async function clientOf(server: Address): Promise<ElectrumClient> {
  const connect = async (): Promise<ElectrumClient | undefined> => {
    try {
      return await startElectrumClient({
        dial: (dialing) => loopbackDial(server, { signal: dialing, isolation: '' }),
        clientName: 'test',
        timeoutMs: 10_000,
        log: silent,
        signal,
      });
    } catch (error) {
      if (error instanceof DialError) return undefined;
      throw error;
    }
  };
  const what = 'the Electrum server to listen';
  return await waitUntil(connect, { what, timeoutMs: 30_000, intervalMs: 100, signal });
}

/** What a server answers, in one shape whether it refuses or not. */
async function answerOf(client: ElectrumClient, [method, params]: Question): Promise<unknown> {
  try {
    return withoutDescriptors(await client.call(method, params));
  } catch (error) {
    if (!(error instanceof ElectrumRpcError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

/** The devnet shows none of bitcoind's output descriptors. */
function withoutDescriptors(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) =>
    key === 'desc' ? undefined : value,
  );
  return JSON.parse(text) as unknown;
}

const title = 'the devnet answers what Fulcrum answers over bitcoind with the same chain';

test.skipIf(bitcoind === undefined || fulcrum === undefined)(
  bitcoind === undefined || fulcrum === undefined
    ? `SKIPPED because bitcoind and Fulcrum are not both on PATH: ${title}`
    : title,
  async () => {
    await using scope = new Scope();
    const devnet = scope.use(
      await startEmbeddedChain({ seed: SEED, clock: Date.now, port: 0, log: silent }),
    );
    const wallet = await fundWallet(devnet, { seed: SEED, addresses: 8, busiest: 25 });
    const { chain } = devnet;
    const purse = purseOf(SEED, 'purse');
    const paid = chain.pay(purse.script, 100_000n);
    const outputs = chain.ledger.entry(paid)?.transaction.outputs ?? [];
    const vout = outputs.findIndex(({ scriptHash }) => scriptHash === purse.scriptHash);
    const coin = { txid: paid, vout, value: 100_000n };
    const spend = (amount: bigint, from = coin): string => {
      const script = wallet[1]?.script ?? new Uint8Array();
      return signPayment(purse, { coins: [from], outputs: [{ script, amount }] }).hex;
    };
    await devnet.broadcast(Buffer.from(spend(30_000n), 'hex'));
    const server = await startFulcrum(devnet, scope);
    const clients = [
      scope.use(await clientOf(devnet.electrum)),
      scope.use(await clientOf(server)),
    ] as const;

    const tip = chain.tip.height;
    const reward = chain.tip.transactions[0]?.txid ?? '';
    const scripts = [...wallet, purse].map(({ scriptHash }) => scriptHash);
    const txids = [...new Set([...wallet.flatMap((address) => address.txids), paid, reward])];
    const questions: Question[] = [
      ['blockchain.headers.subscribe', {}],
      ['mempool.get_info', {}],
      ...[0, 7, tip, tip + 1].map((height): Question => ['blockchain.block.header', { height }]),
      ...[tip, tip + 1].map((cp_height): Question => [
        'blockchain.block.header',
        { height: 5, cp_height },
      ]),
      ...[0, tip - 3, tip + 1].flatMap((start_height): Question[] => [
        ['blockchain.block.headers', { start_height, count: 9 }],
        ['blockchain.block.headers', { start_height, count: 4, cp_height: tip }],
        ['blockchain.block.headers', { start_height, count: 4, cp_height: 2 }],
      ]),
      ...scripts.flatMap((scripthash): Question[] => [
        ['blockchain.scripthash.subscribe', { scripthash }],
        ['blockchain.scripthash.get_history', { scripthash }],
        ['blockchain.scripthash.get_mempool', { scripthash }],
        ['blockchain.scripthash.get_balance', { scripthash }],
        ['blockchain.scripthash.listunspent', { scripthash }],
        ['blockchain.scripthash.unsubscribe', { scripthash }],
        ['blockchain.scripthash.unsubscribe', { scripthash }],
      ]),
      ...[...txids, 'ab'.repeat(32)].flatMap((tx_hash): Question[] => [
        ['blockchain.transaction.get', { tx_hash }],
        ['blockchain.transaction.get', { tx_hash, verbose: true }],
        ['blockchain.transaction.get_merkle', { tx_hash, height: tip - 1 }],
        ['blockchain.transaction.get_merkle', { tx_hash, height: 0 }],
      ]),
      ...[0, 20, tip - 1, tip, tip + 1].flatMap((height): Question[] => [
        ['blockchain.transaction.id_from_pos', { height, tx_pos: 0, merkle: true }],
        ['blockchain.transaction.id_from_pos', { height, tx_pos: 3, merkle: true }],
        ['blockchain.transaction.id_from_pos', { height, tx_pos: 3 }],
      ]),
      ...[
        '00',
        chain.tip.transactions[1]?.hex ?? '',
        spend(30_000n),
        spend(40_000n),
        spend(99_700n),
        spend(200n),
        spend(30_000n, { ...coin, vout: 9 }),
        spend(150_000n, { ...coin, value: 200_000n }),
        spend(30_000n, { txid: reward, vout: 0, value: 5_000_000_000n }),
      ].map((raw_tx): Question => ['blockchain.transaction.broadcast', { raw_tx }]),
      ['blockchain.transaction.broadcast_package', { raw_txs: ['00'] }],
    ];
    for (const question of questions) {
      const [ours, theirs] = await Promise.all(clients.map((each) => answerOf(each, question)));
      assert.deepEqual(ours, theirs, JSON.stringify(question));
    }
  },
);
