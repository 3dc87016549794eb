import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { startDevnetNetwork } from '../src/devnet/network.ts';
import type { Consensus } from '../src/directory/consensus.ts';
import { startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { waitUntil } from '../src/io/wait-until.ts';

const NODES = 4;
/**
 * A node that is gone is asked for again within 45 s, three times, before the next consensus; one that
 * comes back when it publishes, or after twice as long each time. A consensus is due every 30 to 50 s,
 * and is missed where the machine is too busy for rounds of 1.5 s.
 */
const NOTICED_MS = 240_000;
const TEST_MS = 600_000;

test(
  'the authorities of a devnet go on, and see a node go and come back',
  { timeout: TEST_MS },
  async () => {
    await using scope = new Scope();
    const signal = AbortSignal.timeout(TEST_MS - 20_000);
    const reaper = scope.use(await startReaper());
    const { path: directory } = scope.use(await makeTemporaryDirectory());
    reaper.watchDirectory(directory);
    const seed = new Uint8Array(32);
    const chain = scope.use(
      await startEmbeddedChain({ seed, clock: Date.now, port: 0, log: silent }),
    );
    const told: string[] = [];
    const network = scope.use(
      await startDevnetNetwork({
        ...{ directory, nodes: NODES, target: chain.electrum, signal, reaper },
        mixMs: 7,
        onProgress: (what) => told.push(what),
      }),
    );
    assert.match(told.at(-1) ?? '', /^(the authorities vote|\d of 4 nodes have the consensus)/);

    const { consensus: first } = await network.latest();
    assert.deepEqual(
      first.nodes.map(({ nodeId }) => nodeId),
      network.nodes.map(({ nodeId }) => nodeId).sort(),
    );
    assert.equal(first.params.get('mix-ms'), 7);

    const [gone] = network.nodes;
    assert.ok(gone);
    const untilRunning = (isRunning: boolean): Promise<Consensus> =>
      waitUntil(
        async () => {
          const { consensus } = await network.latest();
          const listed = consensus.node(gone.nodeId);
          return listed?.flags.has('Running') === isRunning ? consensus : undefined;
        },
        { what: 'the node to be noticed', timeoutMs: NOTICED_MS, intervalMs: 200, signal },
      );
    await gone.stop();
    const without = await untilRunning(false);
    assert.ok(without.epoch > first.epoch);
    assert.equal(without.nodes.filter(({ flags }) => flags.has('Running')).length, NODES - 1);
    assert.ok(without.node(gone.nodeId)?.flags.has('Gateway'));
    await gone.start(signal);
    assert.ok((await untilRunning(true)).epoch > without.epoch);
  },
);
