import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { isSpokenIn } from '../src/electrum/protocol.ts';
import type { Address } from '../src/io/dial.ts';
import { waitUntil } from '../src/io/wait-until.ts';
import { questionsOf, type Scene, startScene } from './electrum-questions.ts';
import {
  answerOf,
  clientOf,
  fulcrumTitle,
  hasFulcrum,
  type Question,
  startFulcrum,
} from './fulcrum.ts';
import { startTestBridge } from './test-bridge.ts';

const { signal } = new AbortController();

/** What servers refuse in words of their own. */
function refusalsOf({ devnet: { chain }, spend }: Scene): Question[] {
  const tip = chain.tip.height;
  return [
    ['blockchain.block.header', { height: tip + 1 }],
    ['blockchain.block.header', { height: 5, cp_height: tip + 1 }],
    ['blockchain.block.headers', { start_height: 3, count: 4, cp_height: 5 }],
    ['blockchain.transaction.get', { tx_hash: 'ab'.repeat(32) }],
    ['blockchain.transaction.get_merkle', { tx_hash: 'ab'.repeat(32), height: 3 }],
    ['blockchain.transaction.id_from_pos', { height: tip, tx_pos: 3_000 }],
    ...['00', spend(40_000n, { vout: 9 }), spend(150_000n, { value: 200_000n })].map(
      (raw_tx): Question => ['blockchain.transaction.broadcast', { raw_tx }],
    ),
  ];
}

/** Puts all questions to both, and compares. */
async function compare(scene: Scene, server: Address): Promise<void> {
  await using bridge = await startTestBridge(server);
  for (const version of ['1.4', '1.4.2', '1.6'] as const) {
    await using scope = new Scope();
    const protocol = { min: version, max: version };
    const ours = scope.use(await clientOf(bridge.address, protocol));
    const theirs = scope.use(await clientOf(server, protocol));
    for (const question of questionsOf(scene)) {
      // Some servers answer what the version does not have, too.
      if (!isSpokenIn(question[0], version)) continue;
      const [our, their] = await Promise.all(
        [ours, theirs].map((each) => answerOf(each, question)),
      );
      assert.deepEqual(our, their, `${version} ${JSON.stringify(question)}`);
    }
    for (const question of refusalsOf(scene)) {
      for (const client of [ours, theirs]) {
        const answer = await answerOf(client, question);
        assert.match(String(answer), /^(1|2|-32603) /, JSON.stringify(question));
      }
    }
  }
}

test('the bridge answers what the devnet’s server answers, method by method', async () => {
  await using scope = new Scope();
  const scene = await startScene(scope);
  await compare(scene, scene.devnet.electrum);
});

test.skipIf(!hasFulcrum)(
  fulcrumTitle('the bridge answers what Fulcrum answers, method by method'),
  async () => {
    await using scope = new Scope();
    const scene = await startScene(scope);
    const fulcrum = await startFulcrum(scene.devnet, scope);
    scope.use(await clientOf(fulcrum));
    await compare(scene, fulcrum);
  },
);

test('what is broadcast through the bridge is in its histories and in the server’s', async () => {
  await using scope = new Scope();
  const scene = await startScene(scope);
  const bridge = scope.use(await startTestBridge(scene.devnet.electrum));
  const ours = scope.use(await clientOf(bridge.address));
  const theirs = scope.use(await clientOf(scene.devnet.electrum));
  const coin = await scene.coin();
  const statuses = new Map<string, string | null>();
  ours.on('blockchain.scripthash.subscribe', ([script, status]) => statuses.set(script, status));
  for (const scripthash of scene.scripts) {
    await ours.call('blockchain.scripthash.subscribe', { scripthash });
  }
  const [, scripthash = ''] = scene.scripts;
  const raw_tx = scene.spend(25_000n, coin);
  const txid = await ours.call('blockchain.transaction.broadcast', { raw_tx });
  assert.ok(scene.devnet.chain.ledger.mempool.has(txid));
  const told = (): string | undefined => statuses.get(scripthash) ?? undefined;
  const what = 'the wallet to be told';
  await waitUntil(told, { what, timeoutMs: 10_000, intervalMs: 20, signal });
  const [our, their] = await Promise.all(
    [ours, theirs].map((each) => each.call('blockchain.scripthash.get_history', { scripthash })),
  );
  assert.deepEqual(our, their);
});
