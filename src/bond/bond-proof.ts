import { MalformedBytesError } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/cbor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import {
  decodeTransactionBody,
  encodeTransactionBody,
  type TransactionProof,
} from '../query/transaction-body.ts';

/** Bytes of a proof: an operator whose funding transaction is larger makes another one. */
export const MAX_BOND_PROOF_BYTES = 16_384;

/** The transaction that paid the bond, and that it is in a block (spec/directory.md section 12). */
export interface BondProof {
  readonly raw: Uint8Array;
  readonly block: TransactionProof;
}

/** The body of an answer to TX that holds the whole transaction (spec/relay.md section 4.4). */
export function encodeBondProof({ raw, block }: BondProof): Uint8Array {
  const body = { size: raw.length, offset: 0, bytes: raw, proof: block };
  return encodeCbor(encodeTransactionBody(body));
}

/** @throws DirectoryError `too-large`, `malformed`. */
export function decodeBondProof(bytes: Uint8Array): BondProof {
  if (bytes.length > MAX_BOND_PROOF_BYTES) {
    throw new DirectoryError('too-large', 'the proof of the bond is too large');
  }
  try {
    const { size, offset, bytes: raw, proof } = decodeTransactionBody(decodeCbor(bytes));
    if (offset === 0 && raw.length === size && proof !== undefined) return { raw, block: proof };
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'not a proof of a bond', { cause });
  }
  throw new DirectoryError('malformed', 'the proof of the bond is not whole');
}
