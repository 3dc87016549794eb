import {
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
} from 'node:crypto';
import { concatBytes } from './bytes.ts';

/** A cipher of RFC 9180 section 7.3; its nonces have 12 and its tags 16 bytes. */
export interface Aead {
  readonly id: number;
  readonly cipher: CipherGCMTypes | CipherChaCha20Poly1305Types;
  readonly keyBytes: number;
}

export const CHACHA20_POLY1305: Aead = { id: 3, cipher: 'chacha20-poly1305', keyBytes: 32 };

export const TAG_BYTES = 16;
export const NONCE_BYTES = 12;

const WITH_TAG = { authTagLength: TAG_BYTES };

export interface AeadInput {
  readonly aead: Aead;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Plaintext to seal, or ciphertext and tag to open. */
  readonly text: Uint8Array;
  /** Nothing when left out. */
  readonly aad?: Uint8Array;
}

/** Ciphertext and tag. */
export function aeadSeal({ aead, key, nonce, text, aad }: AeadInput): Uint8Array {
  // The types know a function for each family of ciphers, which are one function.
  const sealer = createCipheriv(aead.cipher as CipherGCMTypes, key, nonce, WITH_TAG);
  if (aad !== undefined) sealer.setAAD(aad);
  return concatBytes(sealer.update(text), sealer.final(), sealer.getAuthTag());
}

/** Undefined when the tag does not match. */
export function aeadOpen({ aead, key, nonce, text, aad }: AeadInput): Uint8Array | undefined {
  const end = text.length - TAG_BYTES;
  if (end < 0) return undefined;
  const opener = createDecipheriv(aead.cipher as CipherGCMTypes, key, nonce, WITH_TAG);
  if (aad !== undefined) opener.setAAD(aad);
  opener.setAuthTag(text.subarray(end));
  const opened = opener.update(text.subarray(0, end));
  try {
    opener.final();
  } catch {
    return undefined;
  }
  return opened;
}
