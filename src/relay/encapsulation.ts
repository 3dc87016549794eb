import { concatBytes, utf8 } from '../base/bytes.ts';
import { type Aead, aeadOpen, aeadSeal, NONCE_BYTES } from '../base/aead.ts';
import { expand, extract } from './hkdf.ts';
import { ENC_BYTES, hpke, type HpkeContext } from './hpke.ts';
import { RelayError } from './relay-error.ts';
import type { KeyPair } from './x25519.ts';

// Request and response encapsulation (RFC 9458 section 4), free of what is encapsulated: the cells
// use it with our labels, the RFC's test vector with those of Oblivious HTTP.

export interface EncapsulationOptions {
  readonly aead: Aead;
  readonly requestLabel: string;
  readonly responseLabel: string;
}

export interface SealRequest {
  /** `key_id u8 | kem u16 | kdf u16 | aead u16`. */
  readonly header: Uint8Array;
  /** What follows the header in the HPKE info: nothing in RFC 9458. */
  readonly binding: Uint8Array;
  readonly recipientKey: Uint8Array;
  /** Fresh for every request. */
  readonly ephemeral: KeyPair;
  readonly plaintext: Uint8Array;
}

export interface SealedRequest {
  /** `header | enc | ct`. */
  readonly request: Uint8Array;
  /** @throws RelayError BAD_REPLY when the response is not one to this request. */
  readonly openResponse: (response: Uint8Array) => Uint8Array;
}

export interface OpenRequest {
  readonly request: Uint8Array;
  readonly binding: Uint8Array;
  readonly recipient: KeyPair;
}

export interface OpenedRequest {
  readonly enc: Uint8Array;
  readonly plaintext: Uint8Array;
  /** `nonce | ct`; the nonce is random, as long as the response secret, and used once. */
  readonly sealResponse: (plaintext: Uint8Array, nonce: Uint8Array) => Uint8Array;
}

export interface Encapsulation {
  /** The length of the response nonce and of the response secret: max(Nn, Nk). */
  readonly secretBytes: number;
  /** The sender's ephemeral key, a view. */
  readonly encOf: (request: Uint8Array) => Uint8Array;
  /** @throws RelayError BAD_KEY_CONFIG when the recipient's key has small order. */
  readonly sealRequest: (options: SealRequest) => SealedRequest;
  /** @throws RelayError OPEN_FAILED. */
  readonly openRequest: (options: OpenRequest) => OpenedRequest;
}

const HEADER_BYTES = 7;

export function encapsulation(options: EncapsulationOptions): Encapsulation {
  const { aead } = options;
  const { setupSender, setupRecipient } = hpke(aead);
  const requestLabel = utf8(`${options.requestLabel}\0`);
  const responseLabel = utf8(options.responseLabel);
  const secretBytes = Math.max(NONCE_BYTES, aead.keyBytes);

  function responseKeys(
    context: HpkeContext,
    enc: Uint8Array,
    responseNonce: Uint8Array,
  ): { key: Uint8Array; nonce: Uint8Array } {
    const secret = context.export(responseLabel, secretBytes);
    const prk = extract(concatBytes(enc, responseNonce), secret);
    return {
      key: expand(prk, utf8('key'), aead.keyBytes),
      nonce: expand(prk, utf8('nonce'), NONCE_BYTES),
    };
  }

  const encOf = (request: Uint8Array): Uint8Array =>
    request.subarray(HEADER_BYTES, HEADER_BYTES + ENC_BYTES);

  return {
    secretBytes,
    encOf,
    sealRequest({ header, binding, recipientKey, ephemeral, plaintext }) {
      const info = concatBytes(requestLabel, header, binding);
      const context = setupSender({ recipientKey, info, ephemeral });
      const enc = ephemeral.publicKey;
      return {
        request: concatBytes(header, enc, context.seal(plaintext)),
        openResponse(response) {
          const nonce = response.subarray(0, secretBytes);
          const keys = responseKeys(context, enc, nonce);
          const opened = aeadOpen({ aead, ...keys, text: response.subarray(secretBytes) });
          if (opened === undefined) throw new RelayError('BAD_REPLY', 'does not open');
          return opened;
        },
      };
    },
    openRequest({ request, binding, recipient }) {
      const header = request.subarray(0, HEADER_BYTES);
      const enc = encOf(request);
      const info = concatBytes(requestLabel, header, binding);
      const context = setupRecipient({ recipient, enc, info });
      return {
        enc,
        plaintext: context.open(request.subarray(HEADER_BYTES + ENC_BYTES)),
        sealResponse(text, nonce) {
          const keys = responseKeys(context, enc, nonce);
          return concatBytes(nonce, aeadSeal({ aead, ...keys, text }));
        },
      };
    },
  };
}
