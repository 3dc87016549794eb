import { diffieHellman, type KeyObject } from 'node:crypto';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { type Aead, aeadOpen, aeadSeal, NONCE_BYTES } from '../base/aead.ts';
import { expand, extract } from './hkdf.ts';
import { RelayError } from './relay-error.ts';
import { type KeyPair, publicKeyOf } from './x25519.ts';

// HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256. This is the hot path:
// everything that does not depend on the message is joined once for each suite.

export const KEM_ID = 0x0020;
export const KDF_ID = 0x0001;
export const ENC_BYTES = 32;

export interface SenderOptions {
  /** 32 bytes. */
  readonly recipientKey: Uint8Array;
  readonly info: Uint8Array;
  /** Fresh for every message. */
  readonly ephemeral: KeyPair;
}

export interface RecipientOptions {
  readonly recipient: KeyPair;
  /** The sender's ephemeral public key, 32 bytes. */
  readonly enc: Uint8Array;
  readonly info: Uint8Array;
}

/** The encryption context of one sender and one recipient (RFC 9180 section 5.2). */
export interface HpkeContext {
  /** Of the next message in order. */
  seal(plaintext: Uint8Array, aad?: Uint8Array): Uint8Array;
  /** Of the next message in order. @throws RelayError OPEN_FAILED, and the order does not move. */
  open(ciphertext: Uint8Array, aad?: Uint8Array): Uint8Array;
  /** A secret of up to 32 bytes that both sides know (RFC 9180 section 5.3). */
  export(exporterContext: Uint8Array, length: number): Uint8Array;
}

export interface Hpke {
  /** @throws RelayError BAD_KEY_CONFIG when the recipient's key has small order. */
  readonly setupSender: (options: SenderOptions) => HpkeContext;
  /** @throws RelayError OPEN_FAILED when `enc` has small order. */
  readonly setupRecipient: (options: RecipientOptions) => HpkeContext;
}

const NOTHING = new Uint8Array(0);
const VERSION_LABEL = utf8('HPKE-v1');
const BASE_MODE = Uint8Array.of(0);

const KEM_SUITE = concatBytes(utf8('KEM'), u16(KEM_ID));
const EAE_PRK = extractLabel(KEM_SUITE, 'eae_prk');
const SHARED_SECRET = expandLabel(KEM_SUITE, 'shared_secret', 32);

export function hpke(aead: Aead): Hpke {
  const suite = concatBytes(utf8('HPKE'), u16(KEM_ID), u16(KDF_ID), u16(aead.id));
  const pskIdHash = extract(NOTHING, extractLabel(suite, 'psk_id_hash'));
  const infoHashLabel = extractLabel(suite, 'info_hash');
  const secretLabel = extractLabel(suite, 'secret');
  const keyLabel = expandLabel(suite, 'key', aead.keyBytes);
  const nonceLabel = expandLabel(suite, 'base_nonce', NONCE_BYTES);
  const exporterLabel = expandLabel(suite, 'exp', 32);

  /** KeySchedule (RFC 9180 section 5.1) without a pre-shared key. */
  function context(sharedSecret: Uint8Array, info: Uint8Array): HpkeContext {
    const infoHash = extract(NOTHING, concatBytes(infoHashLabel, info));
    const schedule = concatBytes(BASE_MODE, pskIdHash, infoHash);
    const secret = extract(sharedSecret, secretLabel);
    const key = expand(secret, concatBytes(keyLabel, schedule), aead.keyBytes);
    const baseNonce = expand(secret, concatBytes(nonceLabel, schedule), NONCE_BYTES);
    const exporterSecret = expand(secret, concatBytes(exporterLabel, schedule), 32);
    let sequence = 0;
    return {
      seal(text, aad = NOTHING) {
        return aeadSeal({ aead, key, nonce: nonceOf(baseNonce, sequence++), text, aad });
      },
      open(text, aad = NOTHING) {
        const opened = aeadOpen({ aead, key, nonce: nonceOf(baseNonce, sequence), text, aad });
        if (opened === undefined) throw new RelayError('OPEN_FAILED', 'not sealed to this key');
        sequence++;
        return opened;
      },
      export(exporterContext, length) {
        const info = concatBytes(expandLabel(suite, 'sec', length), exporterContext);
        return expand(exporterSecret, info, length);
      },
    };
  }

  return {
    setupSender({ recipientKey, info, ephemeral }) {
      const dh = agree(ephemeral.privateKey, recipientKey);
      if (dh === undefined) throw new RelayError('BAD_KEY_CONFIG', 'a key of small order');
      return context(sharedSecret(dh, ephemeral.publicKey, recipientKey), info);
    },
    setupRecipient({ recipient, enc, info }) {
      const dh = agree(recipient.privateKey, enc);
      if (dh === undefined) throw new RelayError('OPEN_FAILED', 'a key of small order');
      return context(sharedSecret(dh, enc, recipient.publicKey), info);
    },
  };
}

/** X25519; undefined when the result is all zero (RFC 9180 section 7.1.4). */
function agree(privateKey: KeyObject, publicKey: Uint8Array): Uint8Array | undefined {
  const peer = publicKeyOf(publicKey);
  try {
    return diffieHellman({ privateKey, publicKey: peer });
  } catch {
    return undefined;
  }
}

/** ExtractAndExpand (RFC 9180 section 4.1). */
function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipientKey: Uint8Array): Uint8Array {
  const prk = extract(NOTHING, concatBytes(EAE_PRK, dh));
  return expand(prk, concatBytes(SHARED_SECRET, enc, recipientKey), 32);
}

/** The base nonce XOR the message's number (RFC 9180 section 5.2). */
function nonceOf(baseNonce: Uint8Array, sequence: number): Uint8Array {
  if (sequence === 0) return baseNonce;
  const nonce = Uint8Array.from(baseNonce);
  const view = new DataView(nonce.buffer);
  view.setUint32(8, (view.getUint32(8) ^ sequence) >>> 0);
  return nonce;
}

/** What LabeledExtract puts before its input (RFC 9180 section 4). */
function extractLabel(suite: Uint8Array, label: string): Uint8Array {
  return concatBytes(VERSION_LABEL, suite, utf8(label));
}

/** What LabeledExpand puts before its info (RFC 9180 section 4). */
function expandLabel(suite: Uint8Array, label: string, length: number): Uint8Array {
  return concatBytes(u16(length), VERSION_LABEL, suite, utf8(label));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
