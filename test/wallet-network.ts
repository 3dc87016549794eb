import { randomBytes } from 'node:crypto';
import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import {
  type DevnetNetwork,
  type DevnetNetworkOptions,
  startDevnetNetwork,
} from '../src/devnet/network.ts';
import { type Reaper, startReaper } from '../src/io/reaper.ts';
import { makeTemporaryDirectory } from '../src/io/temporary-directory.ts';
import { payBeforehand } from './electrum-life.ts';

/** A private network in front of a chain with money for the wallet of the tests. */
export interface WalletNetwork extends AsyncDisposable {
  /** Goes with all of it. */
  readonly directory: string;
  readonly chain: EmbeddedChain;
  readonly network: DevnetNetwork;
  readonly reaper: Reaper;
}

type Wanted = Pick<DevnetNetworkOptions, 'nodes' | 'pollMeanS' | 'observed' | 'signal'>;

export async function startWalletNetwork(wanted: Wanted): Promise<WalletNetwork> {
  await using starting = new Scope();
  const reaper = starting.use(await startReaper());
  const { path: directory } = starting.use(await makeTemporaryDirectory());
  reaper.watchDirectory(directory);
  const chain = starting.use(
    await startEmbeddedChain({ seed: randomBytes(32), clock: Date.now, port: 0, log: silent }),
  );
  await payBeforehand(chain);
  const network = starting.use(
    await startDevnetNetwork({ ...wanted, directory, target: chain.electrum, reaper }),
  );
  const started = starting.move();
  return {
    directory,
    chain,
    network,
    reaper,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}
