import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { concatBytes, fromHex, utf8 } from '../base/bytes.ts';
import { onionAddressOf } from './onion-address.ts';

/** The long-term Ed25519 key of an onion service. */
export interface OnionKey {
  readonly address: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, as tor keeps it: the clamped secret scalar and the nonce prefix (RFC 8032, 5.1.5). */
  readonly expandedSecretKey: Uint8Array;
  /** The 96 bytes of tor's file `hs_ed25519_secret_key`. */
  readonly secretKeyFile: Uint8Array;
  /** 64 bytes: Ed25519 under `publicKey`. */
  sign(message: Uint8Array): Uint8Array;
}

const FILE_TAG = utf8('== ed25519v1-secret: type0 ==\0\0\0');
/** What stands before the seed in a PKCS #8 private key (RFC 8410 section 7). */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');

/** @throws RangeError unless the seed has 32 bytes. */
export function onionKeyFromSeed(seed: Uint8Array): OnionKey {
  if (seed.length !== 32) throw new RangeError('expected a seed of 32 bytes');
  const privateKey = createPrivateKey({
    key: Buffer.from(concatBytes(PKCS8_PREFIX, seed)),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = new Uint8Array(spki.subarray(-32));
  const expandedSecretKey = expand(seed);
  return {
    address: onionAddressOf(publicKey),
    publicKey,
    expandedSecretKey,
    secretKeyFile: concatBytes(FILE_TAG, expandedSecretKey),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

function expand(seed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(createHash('sha512').update(seed).digest());
  const view = new DataView(bytes.buffer);
  view.setUint8(0, view.getUint8(0) & 0xf8);
  view.setUint8(31, (view.getUint8(31) & 0x3f) | 0x40);
  return bytes;
}
