import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { purseOf, signPayment } from '../src/devnet/purse.ts';
import { fundWallet } from '../src/devnet/wallet.ts';
import {
  answerOf,
  clientOf,
  fulcrumTitle,
  hasFulcrum,
  type Question,
  startFulcrum,
} from './fulcrum.ts';

const SEED = new Uint8Array(32).fill(7);

test.skipIf(!hasFulcrum)(
  fulcrumTitle('the devnet answers what Fulcrum answers over bitcoind with the same chain'),
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
