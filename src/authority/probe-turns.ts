import { type NodeId } from '../directory/node-id.ts';

/** What is known of a node: it is as it should be, nothing, or it was not the last three times. */
export type Standing = 'good' | 'new' | 'failing';

export interface Turn<Node> {
  readonly node: Node;
  readonly standing: Standing;
  /** Whose is the least is the first of its standing. */
  readonly order: number;
}

/** Looks at once. */
const AT_ONCE = 128;
/**
 * How many of these may be at nodes of a standing, the first of them first: anybody can have an authority
 * look at nodes that say nothing, and half of the looks are none the less for those that are good.
 */
const SHARES: readonly (readonly [Standing, number])[] = [
  ['good', AT_ONCE],
  ['new', AT_ONCE / 4],
  ['failing', AT_ONCE / 4],
];

/** Whose turn it is among the nodes that are to be looked at. */
export class ProbeTurns<Node extends { readonly nodeId: NodeId }> {
  readonly #lanes = SHARES.map(([standing, share]) => new Lane<Node>(standing, share));
  readonly #taken = new Map<NodeId, Lane<Node>>();

  /** Not heeded while the node is looked at. */
  wait(turn: Turn<Node>): void {
    const { nodeId } = turn.node;
    if (this.#taken.has(nodeId)) return;
    for (const { standing, waiting } of this.#lanes) {
      if (standing === turn.standing) waiting.set(nodeId, turn);
      else waiting.delete(nodeId);
    }
  }

  /** Whom to look at now: one that is not given again until it is done. */
  take(): Node | undefined {
    if (this.#taken.size >= AT_ONCE) return undefined;
    for (const lane of this.#lanes) {
      const node = lane.take();
      if (node === undefined) continue;
      this.#taken.set(node.nodeId, lane);
      return node;
    }
    return undefined;
  }

  done(nodeId: NodeId): void {
    const lane = this.#taken.get(nodeId);
    if (lane === undefined) return;
    lane.free += 1;
    this.#taken.delete(nodeId);
  }

  /** Of those that wait, forgets all other nodes. */
  retain(isKept: (nodeId: NodeId) => boolean): void {
    for (const { waiting } of this.#lanes) {
      for (const nodeId of waiting.keys()) if (!isKept(nodeId)) waiting.delete(nodeId);
    }
  }
}

class Lane<Node extends { readonly nodeId: NodeId }> {
  readonly standing: Standing;
  readonly waiting = new Map<NodeId, Turn<Node>>();
  /** How many more looks there can be at its nodes. */
  free: number;

  constructor(standing: Standing, share: number) {
    this.standing = standing;
    this.free = share;
  }

  take(): Node | undefined {
    if (this.free === 0) return undefined;
    let first: Turn<Node> | undefined;
    for (const turn of this.waiting.values()) {
      if (first === undefined || turn.order < first.order) first = turn;
    }
    if (first === undefined) return undefined;
    this.free -= 1;
    this.waiting.delete(first.node.nodeId);
    return first.node;
  }
}
