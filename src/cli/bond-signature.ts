import { UserError } from '../base/errors.ts';
import {
  type BondCertificate,
  certificateText,
  isCertified,
  signatureOfWallet,
} from '../bond/bond-certificate.ts';

/**
 * The signature (64 bytes) in what a wallet shows for a signed certificate.
 * @throws UserError when it is none, or none of this certificate by this key.
 */
export function signatureOf(
  line: string,
  certificate: BondCertificate,
  publicKey: Uint8Array,
): Uint8Array {
  const signature = signatureOfWallet(line);
  if (isCertified(certificate, { publicKey, signature })) return signature;
  throw new UserError('the key of the bond did not sign the certificate', {
    hint:
      `The message is, without a space or a line more:\n${certificateText(certificate)}\n` +
      'Sign it with the address whose public key you gave.',
  });
}
