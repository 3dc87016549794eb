import { Scope } from '../src/base/lifecycle.ts';
import { silent } from '../src/base/log.ts';
import { startEmbeddedChain } from '../src/devnet/embedded-chain.ts';
import { startElectrum, walletTest } from './electrum.ts';
import { awaitAgreement, payBeforehand, receiveAndSpend, WALLET_SEED } from './electrum-life.ts';

const MINER_SEED = new Uint8Array(32).fill(4);
const { signal } = new AbortController();

walletTest(
  'a real Electrum wallet is restored, receives, spends, and follows a reorganisation of the devnet',
  async () => {
    await using scope = new Scope();
    const backend = scope.use(
      await startEmbeddedChain({ seed: MINER_SEED, clock: Date.now, port: 0, log: silent }),
    );
    await payBeforehand(backend);
    const wallet = scope.use(
      await startElectrum({ seed: WALLET_SEED, server: backend.electrum, signal }),
    );
    await awaitAgreement(wallet, backend);
    await receiveAndSpend(wallet, backend);
  },
);
