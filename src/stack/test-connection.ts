import { UserError } from '../base/errors.ts';
import { networkParams } from '../bitcoin/networks.ts';
import { type Address, formatAddress } from '../io/dial.ts';
import { privateDial } from '../io/private-dial.ts';
import type { Plan } from './plan.ts';
import { probeElectrum, whyNoAnswer } from './readiness/electrum-probe.ts';
import type { ElectrumObservation } from './readiness/observations.ts';
import { probeWalletOnion } from './readiness/onion-probe.ts';

/** A first connection to an onion takes seconds; a tor that is busy may take more. */
const TIMEOUT_MS = 90_000;

/**
 * Asks the server through its own wallet onion, as a wallet will. Returns the height of its tip.
 * @throws UserError when it does not answer, or for another network.
 */
export async function testWalletOnion(plan: Plan, signal: AbortSignal): Promise<number> {
  return await tested(plan, { where: 'its onion', signal }, (until) =>
    probeWalletOnion(plan, until),
  );
}

/** As `testWalletOnion`, in the local network. */
export async function testLan(plan: Plan, address: Address, signal: AbortSignal): Promise<number> {
  const dial = privateDial(address);
  return await tested(plan, { where: formatAddress(address), signal }, (until) =>
    probeElectrum((dialing) => dial(address, { signal: dialing, isolation: '' }), until),
  );
}

async function tested(
  plan: Plan,
  { where, signal }: { readonly where: string; readonly signal: AbortSignal },
  ask: (signal: AbortSignal) => Promise<ElectrumObservation>,
): Promise<number> {
  const { network } = plan.config;
  let seen: ElectrumObservation;
  try {
    seen = await ask(AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
  } catch (cause) {
    signal.throwIfAborted();
    throw new UserError(`the server does not answer at ${where}: ${whyNoAnswer(cause)}`, {
      hint:
        'sotto status tells what it waits for; sotto up starts it.\n' +
        'With --no-test the strings are printed all the same.',
      cause,
    });
  }
  if (seen.genesisHash !== networkParams(network).genesisHash) {
    throw new UserError(`what answers at ${where} is not of ${network}`);
  }
  return seen.height;
}
