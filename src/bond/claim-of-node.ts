import { decodeNote } from '../directory/note.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type NodeId } from '../directory/node-id.ts';
import { MAX_BOND_FILE_BYTES, parseBondFile } from './bond-file.ts';
import { type BondClaim } from './verify-bond.ts';

/**
 * What a file says of the bond of this node; undefined when it is not the file of a bond, or another
 * node's. Nothing of it is checked: neither signature nor chain.
 */
export function claimOfNode(file: Uint8Array, nodeId: NodeId): BondClaim | undefined {
  try {
    const claim = parseBondFile(decodeNote(file, MAX_BOND_FILE_BYTES));
    return claim.nodeId === nodeId ? claim : undefined;
  } catch (error) {
    if (error instanceof DirectoryError) return undefined;
    throw error;
  }
}
