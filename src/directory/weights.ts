import { type NodeId } from './node-id.ts';

/** A node as far as its weight goes. */
export interface WeighedNode {
  readonly nodeId: NodeId;
  /** The smallest node id of its family. */
  readonly family: NodeId;
  /** Satoshis in a bond that counts; 0 without one. */
  readonly bond: number;
}

export interface WeightParams {
  /** What all nodes without a bond hold together, in percent of the whole: 0 to 99. */
  readonly unbondedPercent: number;
  /** What one family may hold, in percent of the whole: 1 to 100. */
  readonly familyCapPercent: number;
}

/** What a node is taken for where no bond counts. */
const NOMINAL_SATOSHIS = 1_000_000;

/**
 * How much of the network's work each node gets (spec/directory.md section 11): linear in its bond, so
 * that splitting or joining bonds changes nothing; a family held to its cap; a fixed part, in equal
 * parts, for the nodes without a bond. Whole numbers, the same for everyone who has the same nodes.
 */
export function weightsOf(
  nodes: readonly WeighedNode[],
  { unbondedPercent, familyCapPercent }: WeightParams,
): ReadonlyMap<NodeId, number> {
  if (nodes.length === 0) return new Map();
  const bonded = nodes.filter(({ bond }) => bond > 0);
  const unbonded = nodes.filter(({ bond }) => bond <= 0);
  if (bonded.length === 0 || unbonded.length === 0) {
    const all = nodes.map((node) => ({ ...node, bond: node.bond || NOMINAL_SATOSHIS }));
    return capFamilies(all, { part: familyCapPercent, whole: 100 });
  }
  const bondedPercent = 100 - unbondedPercent;
  const weights = capFamilies(bonded, { part: familyCapPercent, whole: bondedPercent });
  const total = sum([...weights.values()].map(BigInt));
  const pool = (total * BigInt(unbondedPercent)) / BigInt(bondedPercent);
  const each = Number(pool / BigInt(unbonded.length));
  return new Map([...weights, ...unbonded.map(({ nodeId }) => [nodeId, each] as const)]);
}

/** `part / whole` of what all have together. */
interface Share {
  readonly part: number;
  readonly whole: number;
}

function capFamilies(nodes: readonly WeighedNode[], share: Share): ReadonlyMap<NodeId, number> {
  const families = new Map<NodeId, bigint>();
  for (const { family, bond } of nodes) {
    families.set(family, (families.get(family) ?? 0n) + BigInt(bond));
  }
  const cap = capOf([...families.values()], share);
  return new Map(
    nodes.map(({ nodeId, family, bond }) => {
      const held = families.get(family) ?? 0n;
      return [nodeId, held <= cap ? bond : Number((BigInt(bond) * cap) / held)];
    }),
  );
}

/**
 * The most that a family may keep, so that none has more than the share of what all keep. What is cut
 * off makes the others' part greater. At most half of everything is cut, so nobody's part more than
 * doubles: otherwise specks of bonds in many families would push the large ones down to their size.
 */
function capOf(families: readonly bigint[], share: Share): bigint {
  const falling = families.toSorted((a, b) => Number(b - a));
  const half = sum(falling) / 2n;
  let uncut = sum(falling);
  for (const [cut, largest] of falling.entries()) {
    const cap = capOfCut(BigInt(cut), { uncut, half, share });
    if (largest <= cap) return cap;
    uncut -= largest;
  }
  return half / BigInt(falling.length);
}

/** What each of `cut` families keeps when the others have `uncut` together. */
function capOfCut(
  cut: bigint,
  { uncut, half, share }: { uncut: bigint; half: bigint; share: Share },
): bigint {
  const others = BigInt(share.whole) - cut * BigInt(share.part);
  const byShare = others > 0n ? (uncut * BigInt(share.part)) / others : 0n;
  const byHalf = cut > 0n && uncut < half ? (half - uncut) / cut : 0n;
  return byShare > byHalf ? byShare : byHalf;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
