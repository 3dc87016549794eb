import { randomBytes } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { base32nopad } from '@scure/base';
import { fromUtf8, MalformedBytesError } from '../base/bytes.ts';
import { publicKeyOfOnion } from './onion-address.ts';

/**
 * The key of one client that may come to a private onion service (rend-spec-v3, appendix G). Whoever
 * has none cannot decrypt where to knock: the address alone tells that a descriptor was published in
 * the last hours, and nothing more.
 */
export interface ClientKey {
  /** 32 bytes, X25519. */
  readonly publicKey: Uint8Array;
  /** 32 bytes, secret. */
  readonly privateKey: Uint8Array;
}

/** What a client keeps in its ClientOnionAuthDir. */
export interface ClientAccess {
  /** 56 letters and `.onion`. */
  readonly onion: string;
  /** 32 bytes, secret. */
  readonly privateKey: Uint8Array;
}

const KEY_BYTES = 32;
/** 32 bytes in base32 are 52 letters. */
const AUTH = /^descriptor:x25519:([A-Z2-7]{52})\n?$/;
const AUTH_PRIVATE = /^([a-z2-7]{56}):descriptor:x25519:([A-Z2-7]{52})\n?$/;

export function newClientKey(): ClientKey {
  const privateKey = new Uint8Array(randomBytes(KEY_BYTES));
  return { privateKey, publicKey: clientPublicKeyOf(privateKey) };
}

/** The public half of a private key of 32 bytes. */
export function clientPublicKeyOf(privateKey: Uint8Array): Uint8Array {
  return x25519.getPublicKey(privateKey);
}

/** The text of a service's `authorized_clients/NAME.auth`, with its line end. */
export function renderAuth(publicKey: Uint8Array): string {
  return `descriptor:x25519:${encodeKey(publicKey)}\n`;
}

/**
 * The public key in the bytes of a `NAME.auth`. tor passes over files that it cannot read, without a
 * word, and serves the onion to everyone when none is left: so what is read here is less than what
 * tor takes.
 * @throws MalformedBytesError when it is not exactly one such line.
 */
export function parseAuth(bytes: Uint8Array): Uint8Array {
  const [, key] = AUTH.exec(fromUtf8(bytes)) ?? [];
  if (key === undefined) throw new MalformedBytesError('not the key of a device');
  return decodeKey(key);
}

/** The text of a client's `NAME.auth_private`, with its line end. Secret. */
export function renderAuthPrivate({ onion, privateKey }: ClientAccess): string {
  publicKeyOfOnion(onion);
  return `${onion.slice(0, -'.onion'.length)}:descriptor:x25519:${encodeKey(privateKey)}\n`;
}

/** @throws MalformedBytesError when it is not exactly one such line. */
export function parseAuthPrivate(bytes: Uint8Array): ClientAccess {
  const [, letters, key] = AUTH_PRIVATE.exec(fromUtf8(bytes)) ?? [];
  if (letters === undefined || key === undefined) {
    throw new MalformedBytesError('not the access key of a device');
  }
  const onion = `${letters}.onion`;
  try {
    publicKeyOfOnion(onion);
  } catch (cause) {
    throw new MalformedBytesError('not the access key of an onion', { cause });
  }
  return { onion, privateKey: decodeKey(key) };
}

function encodeKey(key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new RangeError(`expected a key of ${KEY_BYTES} bytes`);
  return base32nopad.encode(key);
}

function decodeKey(letters: string): Uint8Array {
  let key: Uint8Array;
  try {
    key = base32nopad.decode(letters);
  } catch (cause) {
    // The last letter has bits to spare, which have to be zero.
    throw new MalformedBytesError('a key is not in canonical base32', { cause });
  }
  if (key.every((byte) => byte === 0)) throw new MalformedBytesError('a key is all zeros');
  return key;
}
