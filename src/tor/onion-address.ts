import { createHash } from 'node:crypto';
import { base32nopad } from '@scure/base';
import { concatBytes, equalBytes, utf8 } from '../base/bytes.ts';

const VERSION = Uint8Array.of(3);
const ADDRESS = /^[a-z2-7]{56}\.onion$/;

/** The v3 onion address of an Ed25519 public key of 32 bytes (tor's rend-spec-v3, section 6). */
export function onionAddressOf(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError('expected a public key of 32 bytes');
  const bytes = concatBytes(publicKey, checksumOf(publicKey), VERSION);
  return `${base32nopad.encode(bytes).toLowerCase()}.onion`;
}

/**
 * The public key, 32 bytes, that a v3 onion address stands for.
 * @throws RangeError unless length, letters, version and checksum are right.
 */
export function publicKeyOfOnion(address: string): Uint8Array {
  if (!ADDRESS.test(address)) throw new RangeError('expected 56 letters and ".onion"');
  const bytes = base32nopad.decode(address.slice(0, 56).toUpperCase());
  const publicKey = bytes.slice(0, 32);
  if (!equalBytes(bytes.subarray(34), VERSION)) throw new RangeError('not a version 3 address');
  if (!equalBytes(bytes.subarray(32, 34), checksumOf(publicKey))) {
    throw new RangeError('the checksum of the onion address is wrong');
  }
  return publicKey;
}

/** Whether it stands for a public key: a letter that was misread changes the checksum. */
export function isOnionAddress(address: string): boolean {
  try {
    publicKeyOfOnion(address);
    return true;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

function checksumOf(publicKey: Uint8Array): Uint8Array {
  const input = concatBytes(utf8('.onion checksum'), publicKey, VERSION);
  return createHash('sha3-256').update(input).digest().subarray(0, 2);
}
