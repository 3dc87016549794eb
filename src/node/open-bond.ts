import { fromUtf8 } from '../base/bytes.ts';
import { messageOf, UserError } from '../base/errors.ts';
import { parseBondFile } from '../bond/bond-file.ts';
import type { BondClaim } from '../bond/verify-bond.ts';
import type { Bond } from '../directory/bond-line.ts';
import type { NodeId } from '../directory/node-id.ts';
import { readIfPresent } from '../io/durable-file.ts';

/** What a node tells of the coins that are locked for it. */
export interface NodeBond {
  readonly claim: BondClaim;
  /** Of its descriptor. */
  readonly bond: Bond;
  /** What authorities and clients check it with. */
  readonly file: Uint8Array;
}

/**
 * Reads what `sotto bond prove` wrote; the authorities check it.
 * @throws UserError when it is not there, damaged, or another node's.
 */
export async function openBond(path: string, nodeId: NodeId): Promise<NodeBond> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) throw new UserError(`there is no file ${path}`);
  const claim = parse(bytes, path);
  if (claim.nodeId !== nodeId) {
    throw new UserError(`the bond in ${path} is that of node ${claim.nodeId}, not of ${nodeId}`);
  }
  return { claim, bond: claim.bond, file: bytes };
}

function parse(bytes: Uint8Array, path: string): BondClaim {
  try {
    return parseBondFile(fromUtf8(bytes));
  } catch (cause) {
    throw new UserError(`${path} cannot be used: ${messageOf(cause)}`, {
      hint: 'Make it anew: sotto bond prove',
      cause,
    });
  }
}
