import { fromHex } from '../base/bytes.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { relaysTo, usableRelays } from './assignment.ts';
import { type ClientState } from './client-state.ts';
import { type Exposure } from './lookup.ts';

export interface ExposureOptions {
  readonly state: Pick<ClientState, 'secret' | 'choices'>;
  /** Undefined: then no relay is in use. */
  readonly consensus: Consensus | undefined;
  readonly clientsOf: (relay: ConsensusNode) => number | undefined;
}

/** Counts the addresses at each gateway, and at each relay that answers for them while all do. */
export function exposureOf({ state, consensus, clientsOf }: ExposureOptions): Exposure {
  const { secret, choices } = state;
  const relays = consensus === undefined ? [] : usableRelays(consensus, choices.relays);
  const atGateway = new Map<string, number>();
  const atRelay = new Map<ConsensusNode, number>(relays.map((relay) => [relay, 0]));
  for (const [scriptHash, { nodeId }] of choices.gateways) {
    count(atGateway, nodeId);
    const gateway = consensus?.node(nodeId);
    if (gateway === undefined) continue;
    const [first] = relaysTo(gateway, { secret, subject: fromHex(scriptHash), relays });
    if (first !== undefined) count(atRelay, first);
  }
  return {
    gateways: [...atGateway]
      .map(([name, addresses]) => ({ name, addresses }))
      .sort((a, b) => b.addresses - a.addresses),
    relays: [...atRelay].map(([relay, addresses]) => ({
      nodeId: relay.nodeId,
      addresses,
      clients: clientsOf(relay),
    })),
  };
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
