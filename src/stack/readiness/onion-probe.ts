import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Network } from '../../bitcoin/networks.ts';
import { socksDial } from '../../io/socks-dial.ts';
import { connectRelay } from '../../relay/relay-link.ts';
import type { Plan } from '../plan.ts';
import { RELAY_PORT } from '../../node/descriptor-publisher.ts';
import { WALLET_PORT } from '../services/tor.ts';
import { probeElectrum } from './electrum-probe.ts';
import type { ElectrumObservation } from './observations.ts';

/** Asks what answers at the wallet onion, as a wallet does: tor has a device's key of its own. */
export async function probeWalletOnion(
  plan: Pick<Plan, 'home' | 'onions'>,
  signal: AbortSignal,
): Promise<ElectrumObservation> {
  const address = { host: plan.onions.wallet, port: WALLET_PORT };
  return await probeElectrum((dialing) => dial(plan, { address, signal: dialing }), signal);
}

/** Says HELLO to the node through its relay onion, and waits for its own. */
export async function probeRelayOnion(
  plan: Pick<Plan, 'home' | 'onions'>,
  { network, clock, signal }: { network: Network; clock: Clock; signal: AbortSignal },
): Promise<true> {
  const address = { host: plan.onions.relay, port: RELAY_PORT };
  const stream = await dial(plan, { address, signal });
  const link = await connectRelay({ stream, network, clock, signal });
  await link[Symbol.asyncDispose]();
  return true;
}

function dial(
  { home }: Pick<Plan, 'home'>,
  { address, signal }: { address: { host: string; port: number }; signal: AbortSignal },
): Promise<Duplex> {
  // A new circuit for each look: an old one may go on when a new client finds no way, or be dead.
  return socksDial({ path: home.torSocks })(address, { signal, isolation: randomUUID() });
}
