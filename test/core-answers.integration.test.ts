import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { questionsOf, type Scene, startScene } from './electrum-questions.ts';
import {
  answerOf,
  clientOf,
  fulcrumTitle,
  hasFulcrum,
  type Question,
  startFulcrum,
} from './fulcrum.ts';

/** What a bridge answers in its own way or refuses; the devnet says, word by word, what Fulcrum says. */
function moreQuestionsOf({ devnet: { chain }, spend }: Scene): Question[] {
  const tip = chain.tip.height;
  const reward = chain.tip.transactions[0]?.txid ?? '';
  return [
    ['mempool.get_info', {}],
    ['blockchain.block.header', { height: tip + 1 }],
    ['blockchain.block.header', { height: 5, cp_height: tip + 1 }],
    ...[0, tip - 3, tip + 1].map((start_height): Question => [
      'blockchain.block.headers',
      { start_height, count: 4, cp_height: 2 },
    ]),
    ...[false, true].map((verbose): Question => [
      'blockchain.transaction.get',
      { tx_hash: 'ab'.repeat(32), verbose },
    ]),
    ['blockchain.transaction.get_merkle', { tx_hash: 'ab'.repeat(32), height: tip - 1 }],
    ['blockchain.transaction.get_merkle', { tx_hash: reward, height: 0 }],
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
      spend(30_000n, { vout: 9 }),
      spend(150_000n, { value: 200_000n }),
      spend(30_000n, { txid: reward, vout: 0, value: 5_000_000_000n }),
    ].map((raw_tx): Question => ['blockchain.transaction.broadcast', { raw_tx }]),
    ['blockchain.transaction.broadcast_package', { raw_txs: ['00'] }],
  ];
}

test.skipIf(!hasFulcrum)(
  fulcrumTitle('the devnet answers what Fulcrum answers over bitcoind with the same chain'),
  async () => {
    await using scope = new Scope();
    const scene = await startScene(scope);
    const { devnet } = scene;
    const server = await startFulcrum(devnet, scope);
    const clients = [
      scope.use(await clientOf(devnet.electrum)),
      scope.use(await clientOf(server)),
    ] as const;
    for (const question of [...questionsOf(scene), ...moreQuestionsOf(scene)]) {
      const [ours, theirs] = await Promise.all(clients.map((each) => answerOf(each, question)));
      assert.deepEqual(ours, theirs, JSON.stringify(question));
    }
  },
);
