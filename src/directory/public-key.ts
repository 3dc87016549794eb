import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';

/** An Ed25519 public key (RFC 8032). */
export interface PublicKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** `signature` is 64 bytes; anything else does not verify. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * Verifiers disagree about keys of small order, with torsion or in a second encoding; such keys are
 * refused here, and on all other keys they agree (spec/directory.md section 1).
 * @throws DirectoryError `weak-key`.
 */
export function loadPublicKey(bytes: Uint8Array): PublicKey {
  if (!isStrong(bytes)) throw new DirectoryError('weak-key', 'not a strong Ed25519 public key');
  const key = keyObjectOf(bytes);
  return {
    bytes,
    verify: (message, signature) => verify(null, message, key, signature),
  };
}

/**
 * As `loadPublicKey`, but the work is done at the first `verify`, under which a weak key verifies
 * nothing, and the bytes are read at each use. For lists of thousands of keys of which few are used.
 */
export function deferPublicKey(read: () => Uint8Array): PublicKey {
  return new DeferredPublicKey(read);
}

class DeferredPublicKey implements PublicKey {
  readonly #read: () => Uint8Array;
  #key: KeyObject | 'weak' | undefined;

  constructor(read: () => Uint8Array) {
    this.#read = read;
  }

  get bytes(): Uint8Array {
    return this.#read();
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    this.#key ??= isStrong(this.bytes) ? keyObjectOf(this.bytes) : 'weak';
    return this.#key !== 'weak' && verify(null, message, this.#key, signature);
  }
}

function isStrong(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}

/** DER of a SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4). */
const SPKI_PREFIX = Uint8Array.of(
  0x30,
  0x2a,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x03,
  0x21,
  0,
);

function keyObjectOf(bytes: Uint8Array): KeyObject {
  const der = Buffer.from(concatBytes(SPKI_PREFIX, bytes));
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}
