import { type WeighedNode } from './weights.ts';

/** From where on bonds make weights. */
export interface BondFloors {
  /** Satoshis: a bond of less counts as none. */
  readonly bondMinSats: number;
  /** Satoshis that the bonds must hold together before any of them counts. */
  readonly bondedFromSats: number;
  /** Families that must have one before any of them counts. */
  readonly bondedFromFamilies: number;
}

/**
 * The nodes, without the bonds that do not count (spec/directory.md section 11): the small ones, and all
 * of them while they are few. Otherwise the first speck of a bond would take a network that has none.
 */
export function countedBonds<Node extends WeighedNode>(
  nodes: readonly Node[],
  { bondMinSats, bondedFromSats, bondedFromFamilies }: BondFloors,
): readonly Node[] {
  const large = nodes.filter(({ bond }) => bond >= bondMinSats);
  const families = new Set(large.map(({ family }) => family)).size;
  const sats = large.reduce((sum, { bond }) => sum + BigInt(bond), 0n);
  const isBonded = families >= bondedFromFamilies && sats >= BigInt(bondedFromSats);
  return nodes.map((node) => (isBonded && node.bond >= bondMinSats ? node : { ...node, bond: 0 }));
}
