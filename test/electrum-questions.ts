import type { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { type Coin, purseOf, signPayment } from '../src/devnet/purse.ts';
import { fundWallet } from '../src/devnet/wallet.ts';
import { type Question } from './fulcrum.ts';

const SEED = new Uint8Array(32).fill(11);

export interface Scene {
  readonly devnet: EmbeddedChain;
  /** Of the wallet: used once, often, in the mempool only, never, and one that spends. */
  readonly scripts: readonly string[];
  readonly txids: readonly string[];
  /** One more coin of the wallet's, in the mempool. */
  readonly coin: () => Promise<Coin>;
  /** Pays from that coin, or from the one that the wallet has already spent. */
  readonly spend: (amount: bigint, from?: Partial<Coin>) => string;
}

/** A chain with a wallet that has received, spent and has both in the mempool. */
export async function startScene(scope: Scope): Promise<Scene> {
  const devnet = scope.use(
    await startEmbeddedChain({ seed: SEED, clock: Date.now, port: 0, log: silent }),
  );
  const { chain } = devnet;
  const wallet = await fundWallet(devnet, { seed: SEED, addresses: 8, busiest: 25 });
  const purse = purseOf(SEED, 'purse');
  const outputOf = (txid: string): number =>
    chain.ledger
      .entry(txid)
      ?.transaction.outputs.findIndex(({ scriptHash }) => scriptHash === purse.scriptHash) ?? -1;
  const coinOf = async (mined: number): Promise<Coin> => {
    const value = 100_000n;
    const txid = await devnet.pay(purse.address, value);
    if (mined > 0) await devnet.mine(mined);
    return { txid, vout: outputOf(txid), value };
  };
  const [old, coin] = [await coinOf(1), await coinOf(0)];
  const script = wallet[1]?.script ?? new Uint8Array();
  const spend = (amount: bigint, from: Partial<Coin> = {}): string =>
    signPayment(purse, { coins: [{ ...coin, ...from }], outputs: [{ script, amount }] }).hex;
  const spent = [
    await devnet.broadcast(Buffer.from(spend(20_000n, old), 'hex')),
    await devnet.broadcast(Buffer.from(spend(30_000n), 'hex')),
  ];
  const reward = chain.tip.transactions[0]?.txid ?? '';
  return {
    devnet,
    scripts: [...wallet, purse].map(({ scriptHash }) => scriptHash),
    txids: [
      ...new Set([...wallet.flatMap(({ txids }) => txids), old.txid, coin.txid, reward, ...spent]),
    ],
    coin: () => coinOf(0),
    spend,
  };
}

/** What wallets ask, of which every server has to answer the same. */
export function questionsOf({ devnet: { chain }, scripts, txids }: Scene): Question[] {
  const tip = chain.tip.height;
  return [
    ['server.ping', {}],
    ['server.peers.subscribe', {}],
    ['blockchain.headers.subscribe', {}],
    ...[0, 7, tip].map((height): Question => ['blockchain.block.header', { height }]),
    ['blockchain.block.header', { height: 5, cp_height: tip }],
    ...[0, tip - 3, tip + 1].flatMap((start_height): Question[] => [
      ['blockchain.block.headers', { start_height, count: 9 }],
      ['blockchain.block.headers', { start_height, count: 4, cp_height: tip }],
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
    ...txids.flatMap((tx_hash): Question[] => [
      ['blockchain.transaction.get', { tx_hash }],
      ['blockchain.transaction.get', { tx_hash, verbose: true }],
      ...[tip - 1, tip].map((height): Question => [
        'blockchain.transaction.get_merkle',
        { tx_hash, height },
      ]),
    ]),
    ...[true, false].map((merkle): Question => [
      'blockchain.transaction.id_from_pos',
      { height: tip, tx_pos: 1, merkle },
    ]),
  ];
}
