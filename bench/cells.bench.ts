import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { generateKeyPairSync, randomBytes, sign, type webcrypto } from 'node:crypto';
import { openCell, sealCell } from '../src/relay/cell.ts';
import { encodeKeyConfig } from '../src/relay/key-config.ts';
import { keyPairFromSeed } from '../src/relay/x25519.ts';
import { type Case, measureSideBySide, type Measured, type Report, rounded } from './harness.ts';
import { GATEWAY_PRIMITIVES, primitives } from './primitives.ts';

const seed = randomBytes(32);
const gateway = keyPairFromSeed(seed);
const keyConfig = encodeKeyConfig({ keyId: 1, publicKey: gateway.publicKey });
const nodeId = '00'.repeat(16);
const request = randomBytes(120);
const reply = randomBytes(2000);
const replyKey = generateKeyPairSync('ed25519').privateKey;
const keyFor = () => ({ keyConfig, privateKey: gateway.privateKey });

const sealed = sealCell({ keyConfig, nodeId, plaintext: request });
const opened = openCell({ cell: sealed.cell, nodeId, keyFor });
const replyBody = opened.sealReply(reply);

const twoKb = randomBytes(1993);
const message = randomBytes(94);

const ours: readonly Case[] = [
  { name: 'seal a cell', run: () => sealCell({ keyConfig, nodeId, plaintext: request }) },
  { name: 'open a cell', run: () => openCell({ cell: sealed.cell, nodeId, keyFor }) },
  { name: 'seal a reply', run: () => opened.sealReply(reply) },
  { name: 'open a reply', run: () => sealed.openReply(replyBody) },
  {
    name: 'gateway: open, sign, seal',
    run: () => {
      sign(null, message, replyKey);
      return openCell({ cell: sealed.cell, nodeId, keyFor }).sealReply(reply);
    },
  },
];

/** What each of ours cannot do without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'seal a cell': ['X25519 key pair', 'X25519', 'ChaCha20Poly1305 of 2 kB'],
  'open a cell': ['X25519', 'ChaCha20Poly1305 of 2 kB'],
  'seal a reply': ['ChaCha20Poly1305 of 4 kB'],
  'open a reply': ['ChaCha20Poly1305 of 4 kB'],
  'gateway: open, sign, seal': GATEWAY_PRIMITIVES,
};

/** The same message, header and binding with @hpke/core; its keys are imported beforehand. */
async function hpkeCore(): Promise<readonly Case[]> {
  const kem = new DhkemX25519HkdfSha256();
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });
  const recipientPublicKey = (await kem.importKey(
    'raw',
    Uint8Array.from(gateway.publicKey).buffer,
    true,
  )) as webcrypto.CryptoKey;
  const recipientKey = (await kem.importKey(
    'raw',
    Uint8Array.from(seed).buffer,
    false,
  )) as webcrypto.CryptoKey;
  const info = Uint8Array.from(randomBytes(83)).buffer;
  const text = Uint8Array.from(twoKb).buffer;
  const sender = await suite.createSenderContext({ recipientPublicKey, info });
  const { enc } = sender;
  const ciphertext = await sender.seal(text);
  return [
    {
      name: '@hpke/core: seal 2 kB',
      run: async () => (await suite.createSenderContext({ recipientPublicKey, info })).seal(text),
    },
    {
      name: '@hpke/core: open 2 kB',
      run: async () =>
        (await suite.createRecipientContext({ recipientKey, enc, info })).open(ciphertext),
    },
  ];
}

export async function bench(): Promise<readonly Report[]> {
  const measured = await measureSideBySide([...ours, ...(await hpkeCore()), ...primitives]);
  const cpuUs = new Map(measured.map(({ name, cpuUs: us }) => [name, us]));
  const rows = measured.map(({ name, cpuUs: us }: Measured) => {
    const needs = NEEDS[name]?.reduce((sum, need) => sum + (cpuUs.get(need) ?? Number.NaN), 0);
    return {
      what: name,
      'CPU us': rounded(us),
      'per s and core': Math.round(1e6 / us),
      'x of its primitives': needs === undefined ? '' : rounded(us / needs),
    };
  });
  return [{ title: 'Cells', rows }];
}
