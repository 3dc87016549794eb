import { MalformedBytesError } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/cbor.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import {
  decodeTransactionBody,
  encodeTransactionBody,
  type TransactionProof,
} from '../query/transaction-body.ts';

/** Bytes of a proof. */
export const MAX_BOND_PROOF_BYTES = 16_384;

/**
 * Bytes, without witnesses, of a transaction that fits into a proof wherever it is in a block: there are
 * at most 2^15 in one, so two branches take 960 bytes.
 */
export const MAX_BOND_TRANSACTION_BYTES = 15_000;

/** The transaction that paid the bond, and that it is in a block (spec/directory.md section 12). */
export interface BondProof {
  readonly raw: Uint8Array;
  readonly block: TransactionProof;
}

/**
 * The body of an answer to TX that holds the whole transaction (spec/relay.md section 4.4).
 * @throws DirectoryError `too-large`: nobody would take it.
 */
export function encodeBondProof({ raw, block }: BondProof): Uint8Array {
  const body = { size: raw.length, offset: 0, bytes: raw, proof: block };
  const bytes = encodeCbor(encodeTransactionBody(body));
  checkSize(bytes);
  return bytes;
}

/** @throws DirectoryError `too-large`, `malformed`. */
export function decodeBondProof(bytes: Uint8Array): BondProof {
  checkSize(bytes);
  try {
    const { size, offset, bytes: raw, proof } = decodeTransactionBody(decodeCbor(bytes));
    if (offset === 0 && raw.length === size && proof !== undefined) return { raw, block: proof };
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', 'not a proof of a bond', { cause });
  }
  throw new DirectoryError('malformed', 'the proof of the bond is not whole');
}

/** @throws DirectoryError `too-large` */
function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_BOND_PROOF_BYTES) return;
  throw new DirectoryError(
    'too-large',
    `the proof of the bond has more than ${MAX_BOND_PROOF_BYTES} bytes`,
  );
}
