import { type NodeId } from '../directory/node-id.ts';

/** Whether a relay carried what it was given for a gateway. */
export interface Carriage {
  /** Whose cell it was: gateways that lie together count as one. */
  readonly family: NodeId;
  readonly carried: boolean;
}

/** How many of a relay's last carriages count. */
export const CARRIAGES_KEPT = 8;
/** Gateways of one family can make a relay look as if it dropped cells; those of two hardly. */
const FAMILIES_TO_BLAME = 2;

/** Which relays carry cells: what was seen when gateways were asked through them. */
export class CarriedCells {
  readonly #last = new Map<NodeId, readonly Carriage[]>();

  /** False when most of the last cells, of gateways of two families at least, were lost. */
  isCarrying(relay: NodeId): boolean {
    const last = this.#last.get(relay) ?? [];
    const lost = last.filter(({ carried }) => !carried);
    const families = new Set(lost.map(({ family }) => family));
    return families.size < FAMILIES_TO_BLAME || 2 * lost.length <= last.length;
  }

  note(relay: NodeId, carriage: Carriage): void {
    const last = [...(this.#last.get(relay) ?? []), carriage];
    this.#last.set(relay, last.slice(-CARRIAGES_KEPT));
  }

  /** Forgets all other relays. */
  retain(isKept: (relay: NodeId) => boolean): void {
    for (const relay of this.#last.keys()) if (!isKept(relay)) this.#last.delete(relay);
  }

  entries(): Iterable<readonly [NodeId, readonly Carriage[]]> {
    return this.#last;
  }
}
