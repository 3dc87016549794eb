import type { Clock } from '../../base/clock.ts';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';
import type { Plan } from '../plan.ts';
import { whyNoAnswer } from '../readiness/electrum-probe.ts';
import { probeRelayOnion } from '../readiness/onion-probe.ts';
import { testWalletOnion } from '../test-connection.ts';

const TIMEOUT_MS = 60_000;

/** What wallets meet answers through the wallet onion, as a wallet asks it. */
export function walletOnion(plan: Plan): Check {
  return {
    id: 'wallet-onion',
    title: 'the wallet onion answers',
    run: async ({ signal }) => fine(`it answers, at block ${await testWalletOnion(plan, signal)}`),
  };
}

/** The node answers through the relay onion, as clients and other nodes ask it. */
export function relayOnion(plan: Plan, clock: Clock): Check {
  return {
    id: 'relay-onion',
    title: 'the relay onion answers',
    async run({ signal }) {
      const { network } = plan.config;
      const until = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      try {
        await probeRelayOnion(plan, { network, clock, signal: until });
        return fine('it answers');
      } catch (error) {
        signal.throwIfAborted();
        const found = until.aborted ? 'it does not answer in time' : whyNoAnswer(error);
        return failure(found, 'See how far it is: sotto status');
      }
    },
  };
}
