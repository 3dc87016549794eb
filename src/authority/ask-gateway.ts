import { randomBytes } from 'node:crypto';
import { type Network } from '../bitcoin/networks.ts';
import { type Dial } from '../io/dial.ts';
import { attempt } from '../lookup/attempt.ts';
import { RelayPool } from '../lookup/relay-pool.ts';
import { Turns } from '../lookup/turns.ts';
import { type AskedScripts } from './asked-scripts.ts';
import { type KnownScripts } from './known-scripts.ts';
import { probeGateway, type ProbeGatewayParts } from './probe-gateway.ts';
import { probeRelays } from './probe-relays.ts';
import { type AskableGateway } from './prober.ts';

export interface AskGatewayOptions extends ProbeGatewayParts {
  readonly scripts: Pick<KnownScripts, 'draw' | 'isProved'>;
  readonly asked: Pick<AskedScripts, 'of' | 'keep'>;
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
  readonly dial: Dial;
  readonly network: Network;
  /** Bounds dialling. */
  readonly connectMs: number;
  /** From a cell to its answer: longer than relays wait for a gateway. */
  readonly answerMs: number;
}

/**
 * `probeGateway` about a script of the gateway's, over links that serve for nothing else: to the gateway it
 * is a client that asked about this address before, by the same relay.
 * @throws as `probeGateway`.
 */
export async function askGateway(
  { gateway, consensus, relays: there }: AskableGateway,
  options: AskGatewayOptions,
  signal: AbortSignal,
): Promise<void> {
  const { scripts, asked, random } = options;
  const known = await scripts.draw(gateway.nodeId, { signal });
  const held = asked.of(gateway.nodeId).get(known.scriptHash) ?? [];
  const { relays, bound } = probeRelays({ consensus, gateway, relays: there, held, random });
  if (bound.join() !== held.join()) {
    asked.keep(gateway.nodeId, new Map(asked.of(gateway.nodeId)).set(known.scriptHash, bound));
  }
  const turns = new Turns();
  await using pool = new RelayPool({
    ...options,
    session: randomBytes(16).toString('hex'),
    consensusHash: () => consensus.hash,
  });
  await probeGateway(
    {
      ...{ gateway, consensus, known, relays },
      ask: (relay, query, asking) => {
        const route = { consensus, relay, gateway, purpose: 'lookup' } as const;
        return attempt(query, route, { pool, turns, clock: options.clock, signal: asking });
      },
    },
    options,
    signal,
  );
}
