import { createHmac, diffieHellman, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { aeadSeal, CHACHA20_POLY1305 } from '../src/base/aead.ts';
import { keyPairFromSeed, publicKeyOf } from '../src/relay/x25519.ts';
import type { Case } from './harness.ts';

const { privateKey } = keyPairFromSeed(randomBytes(32));
const peer = publicKeyOf(keyPairFromSeed(randomBytes(32)).publicKey);
const signingKey = generateKeyPairSync('ed25519').privateKey;
const key = randomBytes(32);
const nonce = randomBytes(12);
const [twoKb, fourKb] = [randomBytes(1993), randomBytes(4048)];
const message = randomBytes(94);

/** What no implementation of cells can do without, of the lengths that cells have. */
export const primitives: readonly Case[] = [
  { name: 'X25519 key pair', run: () => generateKeyPairSync('x25519') },
  { name: 'X25519', run: () => diffieHellman({ privateKey, publicKey: peer }) },
  { name: 'Ed25519 signature', run: () => sign(null, message, signingKey) },
  {
    name: 'ChaCha20Poly1305 of 2 kB',
    run: () => aeadSeal({ aead: CHACHA20_POLY1305, key, nonce, text: twoKb }),
  },
  {
    name: 'ChaCha20Poly1305 of 4 kB',
    run: () => aeadSeal({ aead: CHACHA20_POLY1305, key, nonce, text: fourKb }),
  },
  { name: 'HMAC-SHA256', run: () => createHmac('sha256', key).update(message).digest() },
];

/** Those of a gateway for one cell: to open it, to sign the reply, to seal it. */
export const GATEWAY_PRIMITIVES: readonly string[] = [
  'X25519',
  'ChaCha20Poly1305 of 2 kB',
  'Ed25519 signature',
  'ChaCha20Poly1305 of 4 kB',
];
