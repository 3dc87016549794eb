import { type ConsensusParams } from './consensus-head.ts';
import { type BondFloors } from './counted-bonds.ts';
import { MAX_NODES, MAX_WEIGHT } from './limits.ts';
import { type WeightParams } from './weights.ts';

/** What a parameter is where the votes name none, and the least and the most that it can be. */
interface Bounds {
  readonly usual: number;
  readonly min: number;
  readonly max: number;
}

const UNBONDED_PERCENT: Bounds = { usual: 10, min: 0, max: 99 };
const FAMILY_CAP_PERCENT: Bounds = { usual: 10, min: 1, max: 100 };
const BOND_MIN_SATS: Bounds = { usual: 1_000_000, min: 1, max: MAX_WEIGHT };
/**
 * With less than its least the part of the nodes without a bond could be 0 for each: of 10,000 nodes,
 * with 1 % for those and half of what is locked cut off.
 */
const BONDED_FROM_SATS: Bounds = { usual: 100_000_000, min: 10_000_000, max: MAX_WEIGHT };
const BONDED_FROM_FAMILIES: Bounds = { usual: 10, min: 1, max: MAX_NODES };

/**
 * The parameters that weights are made by (spec/directory.md section 11). What makes no sense is taken
 * as the nearest value that does, so that it stops nobody.
 */
export function weightParamsOf(params: ConsensusParams): WeightParams & BondFloors {
  const taken = (name: string, { usual, min, max }: Bounds): number =>
    Math.min(Math.max(params.get(name) ?? usual, min), max);
  return {
    unbondedPercent: taken('unbonded-percent', UNBONDED_PERCENT),
    familyCapPercent: taken('family-cap-percent', FAMILY_CAP_PERCENT),
    bondMinSats: taken('bond-min-sats', BOND_MIN_SATS),
    bondedFromSats: taken('bonded-from-sats', BONDED_FROM_SATS),
    bondedFromFamilies: taken('bonded-from-families', BONDED_FROM_FAMILIES),
  };
}
