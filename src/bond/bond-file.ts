import { fromBase64, MalformedBytesError, toBase64 } from '../base/bytes.ts';
import { type Bond, parseBond, renderBond } from '../directory/bond-line.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { type BondProof, decodeBondProof, encodeBondProof } from './bond-proof.ts';

/** What a node needs to claim its bond: there is no secret in it. */
export interface ProvedBond {
  readonly bond: Bond;
  readonly proof: BondProof;
}

const FILE = /^sotto-bond\/1\n(bond .+)\nproof (.+)\n$/;

/** The file that `sotto bond prove` writes and a node reads (spec/directory.md section 12). */
export function renderBondFile({ bond, proof }: ProvedBond): string {
  return `sotto-bond/1\n${renderBond(bond)}\nproof ${toBase64(encodeBondProof(proof))}\n`;
}

/**
 * Nothing of it is checked against a chain.
 * @throws DirectoryError `malformed`, `too-large`.
 */
export function parseBondFile(text: string): ProvedBond {
  const [, line, proof] = FILE.exec(text) ?? [];
  if (line === undefined || proof === undefined) {
    throw new DirectoryError('malformed', 'not the file of a bond');
  }
  return { bond: parseBond(line), proof: decodeBondProof(bytesOfProof(proof)) };
}

function bytesOfProof(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'the proof of the bond is not base64', { cause });
  }
}
