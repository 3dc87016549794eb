import { type Consensus } from '../directory/consensus.ts';
import { MAX_NODES } from '../directory/limits.ts';
import { type NodeId } from '../directory/node-id.ts';

/** Whether a relay carried what it was given for a gateway. */
export interface Carriage {
  /** Whose cell it was: gateways that lie together count as one. */
  readonly family: NodeId;
  readonly carried: boolean;
  /** Milliseconds, by a clock that nobody sets. */
  readonly at: number;
}

/** What the gateways of each family weigh in a consensus. */
export interface FamilyWeights {
  readonly byFamily: ReadonlyMap<NodeId, number>;
  readonly mean: number;
}

/** Of one relay: the last of each family. */
export const CARRIAGES_KEPT = MAX_NODES;
const KEPT_MS = 3 * 86_400_000;
/** Gateways of one family can make a relay look as if it dropped cells; those of two hardly. */
const FAMILIES_TO_BLAME = 2;

/** Which relays carry cells: what was seen when gateways were asked through them. */
export class CarriedCells {
  readonly #last = new Map<NodeId, Map<NodeId, Carriage>>();

  /**
   * False when the gateways whose last cells it lost outweigh those whose last cells it carried, and weigh as
   * much as two families do on average. Nodes that weigh little cannot bring that about, however many they are.
   */
  isCarrying(relay: NodeId, { byFamily, mean }: FamilyWeights, now: number): boolean {
    const lost: number[] = [];
    const carried: number[] = [];
    for (const last of this.#last.get(relay)?.values() ?? []) {
      const weight = byFamily.get(last.family);
      if (weight === undefined || isOld(last, now)) continue;
      (last.carried ? carried : lost).push(weight);
    }
    const weightLost = sum(lost);
    return (
      lost.length < FAMILIES_TO_BLAME ||
      weightLost < FAMILIES_TO_BLAME * mean ||
      weightLost <= sum(carried)
    );
  }

  note(relay: NodeId, carriage: Carriage): void {
    const last = this.#last.get(relay) ?? new Map<NodeId, Carriage>();
    for (const [family, each] of last) if (isOld(each, carriage.at)) last.delete(family);
    last.set(carriage.family, carriage);
    this.#last.set(relay, last);
  }

  /** Forgets all other relays. */
  retain(isKept: (relay: NodeId) => boolean): void {
    for (const relay of this.#last.keys()) if (!isKept(relay)) this.#last.delete(relay);
  }

  *entries(): Iterable<readonly [NodeId, readonly Carriage[]]> {
    for (const [relay, last] of this.#last) yield [relay, [...last.values()]];
  }
}

export function gatewayWeights({ nodes }: Pick<Consensus, 'nodes'>): FamilyWeights {
  const byFamily = new Map<NodeId, number>();
  for (const { family, flags, weight } of nodes) {
    if (flags.has('Gateway')) byFamily.set(family, (byFamily.get(family) ?? 0) + weight);
  }
  return { byFamily, mean: sum(byFamily.values()) / Math.max(1, byFamily.size) };
}

function isOld({ at }: Carriage, now: number): boolean {
  return now - at >= KEPT_MS;
}

function sum(weights: Iterable<number>): number {
  let total = 0;
  for (const weight of weights) total += weight;
  return total;
}
