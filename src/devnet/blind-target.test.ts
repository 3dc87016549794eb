import assert from 'node:assert/strict';
import { test } from 'vitest';
import { silent } from '../base/log.ts';
import { startElectrumClient } from '../electrum/client.ts';
import { loopbackDial } from '../io/loopback-dial.ts';
import { startBlindTarget } from './blind-target.ts';
import { startEmbeddedChain } from './embedded-chain.ts';

const { signal } = new AbortController();
const log = silent;

test('a blind target answers as the other one does, but for what is in a block', async () => {
  const seed = new Uint8Array(32);
  await using chain = await startEmbeddedChain({ seed, clock: Date.now, port: 0, log });
  await using blind = await startBlindTarget(chain.electrum);
  const clientOf = (to: typeof chain.electrum) =>
    startElectrumClient({
      dial: (dialing) => loopbackDial(to, { signal: dialing, isolation: '' }),
      ...{ clientName: 'test', timeoutMs: 5000, log, signal },
    });
  await using seeing = await clientOf(chain.electrum);
  await using unseeing = await clientOf(blind);
  const headers = { start_height: 0, count: 5 };
  assert.deepEqual(
    await unseeing.call('blockchain.block.headers', headers, { signal }),
    await seeing.call('blockchain.block.headers', headers, { signal }),
  );
  const first = { height: 1, tx_pos: 0, merkle: true };
  const method = 'blockchain.transaction.id_from_pos';
  const unseen = await unseeing.call(method, first, { signal });
  assert.deepEqual(unseen, { tx_hash: '0'.repeat(64), merkle: [] });
  assert.notDeepEqual(await seeing.call(method, first, { signal }), unseen);
});
