import { shuffled } from '../base/shuffled.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type ConsensusNode } from '../directory/consensus-node.ts';
import { type NodeId } from '../directory/node-id.ts';
import { ranked } from '../lookup/assignment.ts';
import { RELAYS_BOUND } from './asked-scripts.ts';

export interface ProbeRelaysOptions {
  readonly consensus: Pick<Consensus, 'node'>;
  readonly gateway: Pick<ConsensusNode, 'family'>;
  /** All that can be asked through. */
  readonly relays: readonly ConsensusNode[];
  /** Those that the script is bound to. */
  readonly held: readonly NodeId[];
  /** A whole number from 0 to under its argument. */
  readonly random: (below: number) => number;
}

export interface ProbeRelays {
  /** In the order to try them: of distinct families, none of the gateway's. */
  readonly relays: readonly ConsensusNode[];
  /** What the script is bound to from now on. */
  readonly bound: readonly NodeId[];
}

/** As many as a wallet has. */
const RELAYS = 3;
const SECRET_BYTES = 32;

/**
 * The relays that a gateway is asked through about one script. As a wallet's they stay, each in its place while
 * it is listed, in an order that has nothing to do with their weights, and are drawn by weight; but one of the
 * first three from all alike, so that relays that weigh little have their turn.
 */
export function probeRelays(options: ProbeRelaysOptions): ProbeRelays {
  const { consensus, gateway, relays, held, random } = options;
  const listed = held.filter((nodeId) => consensus.node(nodeId)?.flags.has('Relay') === true);
  const there = new Map(relays.map((relay) => [relay.nodeId, relay]));
  const kept = addTo([], { gateway, from: listed.flatMap((nodeId) => there.get(nodeId) ?? []) });
  if (kept.length === RELAYS) return { relays: kept, bound: listed };
  const isNew = listed.length === 0;
  const secret = Uint8Array.from({ length: SECRET_BYTES }, () => random(256));
  const byWeight = ranked(secret, new Uint8Array(), relays);
  const from = isNew ? [...anyOf(gateway, relays, random), ...byWeight] : byWeight;
  const chosen = addTo(kept, { gateway, from });
  const inOrder = isNew ? shuffled([...chosen], random) : chosen;
  const bound = new Set([...listed, ...inOrder.map(({ nodeId }) => nodeId)]);
  const isFull = bound.size > RELAYS_BOUND;
  return { relays: inOrder, bound: isFull ? inOrder.map(({ nodeId }) => nodeId) : [...bound] };
}

function anyOf(
  { family }: Pick<ConsensusNode, 'family'>,
  relays: readonly ConsensusNode[],
  random: ProbeRelaysOptions['random'],
): readonly ConsensusNode[] {
  const others = relays.filter((relay) => relay.family !== family);
  return others.slice(random(Math.max(1, others.length))).slice(0, 1);
}

interface Adding {
  readonly gateway: Pick<ConsensusNode, 'family'>;
  readonly from: readonly ConsensusNode[];
}

/** With those that are missing, of distinct families. */
function addTo(
  held: readonly ConsensusNode[],
  { gateway, from }: Adding,
): readonly ConsensusNode[] {
  const ofFamily = new Map(held.map((relay) => [relay.family, relay]));
  for (const relay of from) {
    if (ofFamily.size === RELAYS) break;
    if (relay.family !== gateway.family && !ofFamily.has(relay.family)) {
      ofFamily.set(relay.family, relay);
    }
  }
  return [...ofFamily.values()];
}
