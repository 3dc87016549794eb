import { fromBase64, MalformedBytesError, toBase64 } from '../base/bytes.ts';
import { parseBond, renderBond } from '../directory/bond-line.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { NODE_ID } from '../directory/fields.ts';
import { decodeBondProof, encodeBondProof, MAX_BOND_PROOF_BYTES } from './bond-proof.ts';
import { type BondClaim } from './verify-bond.ts';

/** A proof in base64, and the lines before it. */
export const MAX_BOND_FILE_BYTES = Math.ceil(MAX_BOND_PROOF_BYTES / 3) * 4 + 1024;

const FILE = new RegExp(`^sotto-bond/1\\nnode (${NODE_ID})\\n(bond .+)\\nproof (.+)\\n$`);

/**
 * The file that `sotto bond prove` writes and a node reads (spec/directory.md section 12). There is no
 * secret in it.
 * @throws DirectoryError `too-large` when the proof is.
 */
export function renderBondFile({ nodeId, bond, proof }: BondClaim): string {
  const lines = ['sotto-bond/1', `node ${nodeId}`, renderBond(bond)];
  return [...lines, `proof ${toBase64(encodeBondProof(proof))}`]
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Nothing of it is checked against a chain.
 * @throws DirectoryError `malformed`, `too-large`.
 */
export function parseBondFile(text: string): BondClaim {
  const [, nodeId, line, proof] = FILE.exec(text) ?? [];
  if (nodeId === undefined || line === undefined || proof === undefined) {
    throw new DirectoryError('malformed', 'not the file of a bond');
  }
  return { nodeId, bond: parseBond(line), proof: decodeBondProof(bytesOfProof(proof)) };
}

function bytesOfProof(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'the proof of the bond is not base64', { cause });
  }
}
