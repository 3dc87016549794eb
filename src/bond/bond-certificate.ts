import { secp256k1 } from '@noble/curves/secp256k1.js';
import { CompactSize } from '@scure/btc-signer';
import { concatBytes, fromBase64, utf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { doubleSha256 } from '../bitcoin/double-sha256.ts';
import { type NodeId } from '../directory/node-id.ts';

/** Says that a bond is for one node, until it ends (spec/directory.md section 12). */
export interface BondCertificate {
  readonly nodeId: NodeId;
  /** The first period of 2016 blocks in which it does not hold any more. */
  readonly expiry: number;
}

const SIGNATURE_BYTES = 64;
const MAGIC = utf8('\x18Bitcoin Signed Message:\n');

/** What the operator signs with the key of the bond, as a Bitcoin message: wallets show it as text. */
export function certificateText({ nodeId, expiry }: BondCertificate): string {
  return `sotto-bond|${nodeId}|${expiry}`;
}

/** Whether the key (33 bytes) signed the certificate. The signature is `r || s`, 64 bytes. */
export function isCertified(
  certificate: BondCertificate,
  { publicKey, signature }: { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
): boolean {
  try {
    return secp256k1.verify(signature, certificateHash(certificate), publicKey, { prehash: false });
  } catch {
    // The key is not a point of the curve, or the signature has another length.
    return false;
  }
}

/**
 * The 64 bytes that a descriptor carries, from what a wallet gives out for a signed message: base64
 * of one byte, which tells the kind of address, and `r || s`.
 * @throws UserError when it is something else.
 */
export function signatureOfWallet(text: string): Uint8Array {
  try {
    const bytes = fromBase64(text.trim());
    if (bytes.length === SIGNATURE_BYTES + 1) return bytes.subarray(1);
  } catch {
    // Told below.
  }
  throw new UserError('that is not a signature of a Bitcoin message', {
    hint: 'It is a line of 88 letters and digits, as "Sign message" of a wallet shows it.',
  });
}

/** The hash that "Sign message" of Bitcoin wallets signs, 32 bytes. */
export function certificateHash(certificate: BondCertificate): Uint8Array {
  const text = utf8(certificateText(certificate));
  return doubleSha256(concatBytes(MAGIC, CompactSize.encode(BigInt(text.length)), text));
}
