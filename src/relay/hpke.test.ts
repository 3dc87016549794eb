import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import fc from 'fast-check';
import * as panva from 'hpke';
import assert from 'node:assert/strict';
import type { webcrypto } from 'node:crypto';
import { test } from 'vitest';
import vectors from '../../spec/vectors/standard/rfc9180-a2.json' with { type: 'json' };
import { fromHex, toHex } from '../base/bytes.ts';
import { type Aead, aeadOpen, aeadSeal, CHACHA20_POLY1305 } from '../base/aead.ts';
import { hpke } from './hpke.ts';
import { RelayError } from './relay-error.ts';
import { keyPairFromSeed } from './x25519.ts';

const AES_128_GCM: Aead = { id: 1, cipher: 'aes-128-gcm', keyBytes: 16 };
const NOTHING = new Uint8Array(0);

const ephemeral = keyPairFromSeed(fromHex(vectors.skEm));
const recipient = keyPairFromSeed(fromHex(vectors.skRm));
const info = fromHex(vectors.info);

test('RFC 9180 A.2: the sender seals and exports what the vector says', () => {
  assert.equal(toHex(ephemeral.publicKey), vectors.enc);
  assert.equal(toHex(recipient.publicKey), vectors.pkRm);
  const sender = hpke(CHACHA20_POLY1305).setupSender({
    recipientKey: recipient.publicKey,
    info,
    ephemeral,
  });
  for (const { aad, ciphertext } of vectors.encryptions) {
    assert.equal(toHex(sender.seal(fromHex(vectors.plaintext), fromHex(aad))), ciphertext);
  }
  for (const { context, length, value } of vectors.exports) {
    assert.equal(toHex(sender.export(fromHex(context), length)), value);
  }
});

test('RFC 9180 A.2: the recipient opens in order and exports the same', () => {
  const context = hpke(CHACHA20_POLY1305).setupRecipient({
    recipient,
    enc: fromHex(vectors.enc),
    info,
  });
  for (const { aad, ciphertext } of vectors.encryptions) {
    assert.equal(toHex(context.open(fromHex(ciphertext), fromHex(aad))), vectors.plaintext);
  }
  for (const { context: exporter, length, value } of vectors.exports) {
    assert.equal(toHex(context.export(fromHex(exporter), length)), value);
  }
});

test('a message that does not open leaves the order where it was', () => {
  const context = hpke(CHACHA20_POLY1305).setupRecipient({
    recipient,
    enc: fromHex(vectors.enc),
    info,
  });
  const [first] = vectors.encryptions;
  assert.ok(first);
  for (const wrong of [NOTHING, new Uint8Array(16), fromHex(first.ciphertext)]) {
    assert.throws(() => context.open(wrong), isCode('OPEN_FAILED'));
  }
  assert.equal(
    toHex(context.open(fromHex(first.ciphertext), fromHex(first.aad))),
    vectors.plaintext,
  );
});

test('keys of small order are refused on both sides', () => {
  const suite = hpke(CHACHA20_POLY1305);
  for (const key of [new Uint8Array(32), Uint8Array.from({ length: 32 }, (_, i) => +(i === 0))]) {
    assert.throws(
      () => suite.setupSender({ recipientKey: key, info, ephemeral }),
      isCode('BAD_KEY_CONFIG'),
    );
    assert.throws(() => suite.setupRecipient({ recipient, enc: key, info }), isCode('OPEN_FAILED'));
  }
});

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const text = fc.uint8Array({ maxLength: 300 });
const anyCase = fc.record({
  skE: seed,
  skR: seed,
  info: text,
  aad: text,
  first: text,
  second: text,
});

interface Oracle {
  readonly name: string;
  readonly aead: Aead;
  /** What another implementation makes of what ours sealed, and its own secret under "context". */
  readonly open: (sealed: {
    readonly skR: Uint8Array;
    readonly enc: Uint8Array;
    readonly info: Uint8Array;
    readonly aad: Uint8Array;
    readonly messages: readonly Uint8Array[];
  }) => Promise<{ messages: readonly Uint8Array[]; secret: Uint8Array }>;
  /** One message sealed by another implementation. */
  readonly seal: (message: {
    readonly pkR: Uint8Array;
    readonly info: Uint8Array;
    readonly aad: Uint8Array;
    readonly text: Uint8Array;
  }) => Promise<{ enc: Uint8Array; sealed: Uint8Array }>;
}

const CONTEXT = fromHex('636f6e74657874');

function hpkeCore(aead: Aead, cipher: Aes128Gcm | Chacha20Poly1305): Oracle {
  const kem = new DhkemX25519HkdfSha256();
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: cipher });
  return {
    name: `@hpke/core with ${aead.cipher}`,
    aead,
    async open({ skR, enc, info: infoBytes, aad, messages }) {
      const recipientKey = (await kem.importKey('raw', copy(skR), false)) as webcrypto.CryptoKey;
      const options = { recipientKey, enc: copy(enc), info: copy(infoBytes) };
      const context = await suite.createRecipientContext(options);
      const opened: Uint8Array[] = [];
      for (const message of messages) {
        opened.push(new Uint8Array(await context.open(copy(message), copy(aad))));
      }
      return { messages: opened, secret: new Uint8Array(await context.export(copy(CONTEXT), 32)) };
    },
    async seal({ pkR, info: infoBytes, aad, text: message }) {
      const key = (await kem.importKey('raw', copy(pkR), true)) as webcrypto.CryptoKey;
      const options = { recipientPublicKey: key, info: copy(infoBytes) };
      const sender = await suite.createSenderContext(options);
      const sealed = new Uint8Array(await sender.seal(copy(message), copy(aad)));
      return { enc: new Uint8Array(sender.enc), sealed };
    },
  };
}

function hpkePanva(aead: Aead, factory: panva.AEADFactory): Oracle {
  const suite = new panva.CipherSuite(
    panva.KEM_DHKEM_X25519_HKDF_SHA256,
    panva.KDF_HKDF_SHA256,
    factory,
  );
  return {
    name: `hpke with ${aead.cipher}`,
    aead,
    async open({ skR, enc, info: infoBytes, aad, messages }) {
      const privateKey = await suite.DeserializePrivateKey(skR, true);
      const context = await suite.SetupRecipient(privateKey, enc, { info: infoBytes });
      const opened: Uint8Array[] = [];
      for (const message of messages) opened.push(await context.Open(message, aad));
      return { messages: opened, secret: await context.Export(CONTEXT, 32) };
    },
    async seal({ pkR, info: infoBytes, aad, text: message }) {
      const publicKey = await suite.DeserializePublicKey(pkR);
      const { encapsulatedSecret, ctx } = await suite.SetupSender(publicKey, { info: infoBytes });
      return { enc: encapsulatedSecret, sealed: await ctx.Seal(message, aad) };
    },
  };
}

/** Its own cipher needs a WebCrypto newer than Node 20's: the key schedule is what is compared. */
const chachaOfNode: panva.AEADFactory = () => ({
  id: 3,
  type: 'AEAD',
  name: 'ChaCha20Poly1305',
  Nk: 32,
  Nn: 12,
  Nt: 16,
  Seal: (...[key, nonce, aad, plaintext]) =>
    Promise.resolve(aeadSeal({ aead: CHACHA20_POLY1305, key, nonce, text: plaintext, aad })),
  Open: (...[key, nonce, aad, ciphertext]) => {
    const opened = aeadOpen({ aead: CHACHA20_POLY1305, key, nonce, text: ciphertext, aad });
    return opened ? Promise.resolve(opened) : Promise.reject(new Error('does not open'));
  },
});

const oracles: readonly Oracle[] = [
  hpkeCore(CHACHA20_POLY1305, new Chacha20Poly1305()),
  hpkeCore(AES_128_GCM, new Aes128Gcm()),
  hpkePanva(AES_128_GCM, panva.AEAD_AES_128_GCM),
  hpkePanva(CHACHA20_POLY1305, chachaOfNode),
];

test.each(oracles)('$name opens what ours seals, and exports the same secret', async (oracle) => {
  const property = fc.asyncProperty(anyCase, async ({ skE, skR, aad, first, second, ...rest }) => {
    const sender = hpke(oracle.aead).setupSender({
      recipientKey: keyPairFromSeed(skR).publicKey,
      info: rest.info,
      ephemeral: keyPairFromSeed(skE),
    });
    const messages = [sender.seal(first, aad), sender.seal(second, aad)];
    const enc = keyPairFromSeed(skE).publicKey;
    const opened = await oracle.open({ skR, enc, info: rest.info, aad, messages });
    assert.deepEqual(opened.messages.map(toHex), [first, second].map(toHex));
    assert.equal(toHex(opened.secret), toHex(sender.export(CONTEXT, 32)));
  });
  await fc.assert(property, { numRuns: 40 });
});

test.each(oracles)('ours opens what $name seals', async (oracle) => {
  const property = fc.asyncProperty(anyCase, async ({ skR, aad, first, ...rest }) => {
    const pair = keyPairFromSeed(skR);
    const message = { pkR: pair.publicKey, info: rest.info, aad, text: first };
    const { enc, sealed } = await oracle.seal(message);
    const ours = hpke(oracle.aead).setupRecipient({ recipient: pair, enc, info: rest.info });
    assert.equal(toHex(ours.open(sealed, aad)), toHex(first));
  });
  await fc.assert(property, { numRuns: 40 });
});

function copy(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function isCode(code: RelayError['code']) {
  return (error: unknown): boolean => error instanceof RelayError && error.code === code;
}
