import { randomBytes } from 'node:crypto';
import { type Clock } from '../base/clock.ts';
import { type Network } from '../bitcoin/networks.ts';
import { type Dial } from '../io/dial.ts';
import { attempt } from '../lookup/attempt.ts';
import { RelayPool } from '../lookup/relay-pool.ts';
import { Turns } from '../lookup/turns.ts';
import { probeGateway, type ProbeGatewayParts } from './probe-gateway.ts';
import { type AskableGateway } from './prober.ts';

export interface AskGatewayOptions extends ProbeGatewayParts {
  readonly dial: Dial;
  readonly network: Network;
  readonly clock: Clock;
  /** Bounds dialling. */
  readonly connectMs: number;
  /** From a cell to its answer: longer than relays wait for a gateway. */
  readonly answerMs: number;
}

/**
 * `probeGateway` over links that serve for nothing else: to relays and gateway it is a client that is
 * new, and asks about two addresses.
 * @throws as `probeGateway`.
 */
export async function askGateway(
  { gateway, consensus, relays }: AskableGateway,
  options: AskGatewayOptions,
  signal: AbortSignal,
): Promise<void> {
  const turns = new Turns();
  await using pool = new RelayPool({
    ...options,
    session: randomBytes(16).toString('hex'),
    consensusHash: () => consensus.hash,
  });
  await probeGateway(
    {
      ...{ gateway, consensus, relays: relays() },
      ask: (relay, query, asking) => {
        const route = { consensus, relay, gateway, purpose: 'lookup' } as const;
        return attempt(query, route, { pool, turns, clock: options.clock, signal: asking });
      },
    },
    options,
    signal,
  );
}
