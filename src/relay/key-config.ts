import { ByteReader } from '../base/byte-reader.ts';
import { concatBytes, MalformedBytesError } from '../base/bytes.ts';
import { CHACHA20_POLY1305 } from '../base/aead.ts';
import { KDF_ID, KEM_ID } from './hpke.ts';
import { RelayError } from './relay-error.ts';

/** The key that cells are sealed to, as the consensus lists it. */
export interface KeyConfig {
  /** The epoch modulo 256. */
  readonly keyId: number;
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** `kdf u16 | aead u16` of suite 1. */
const SYMMETRIC_SUITE = Uint8Array.of(0, KDF_ID, 0, CHACHA20_POLY1305.id);

/** RFC 9458 section 3, with suite 1 only (spec/relay.md section 2.1): 41 bytes. */
export function encodeKeyConfig({ keyId, publicKey }: KeyConfig): Uint8Array {
  const head = Uint8Array.of(keyId, KEM_ID >> 8, KEM_ID & 0xff);
  return concatBytes(head, publicKey, Uint8Array.of(0, SYMMETRIC_SUITE.length), SYMMETRIC_SUITE);
}

/** @throws RelayError BAD_KEY_CONFIG unless the bytes are one that `encodeKeyConfig` writes. */
export function decodeKeyConfig(bytes: Uint8Array): KeyConfig {
  try {
    const reader = new ByteReader(bytes);
    const keyId = reader.u8();
    const kem = reader.u16();
    const publicKey = reader.bytes(32);
    const suite = [reader.u16(), reader.u16(), reader.u16()];
    reader.end();
    const suiteKnown = kem === KEM_ID && suite.join() === [4, KDF_ID, CHACHA20_POLY1305.id].join();
    if (!suiteKnown) throw new MalformedBytesError('not suite 1');
    return { keyId, publicKey };
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new RelayError('BAD_KEY_CONFIG', cause.message, { cause });
  }
}
