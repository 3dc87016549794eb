import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { concatBytes, toBase64, toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import {
  certificateHash,
  certificateText,
  isCertified,
  signatureOfWallet,
} from './bond-certificate.ts';

const certificate = { nodeId: 'dced38f3ccc06fc6f92732ada32e1162', expiry: 520 };
const secretKey = new Uint8Array(32).fill(7);
const publicKey = secp256k1.getPublicKey(secretKey);
const signature = secp256k1.sign(certificateHash(certificate), secretKey, { prehash: false });

test('what is signed is text that a wallet can show', () => {
  assert.equal(certificateText(certificate), 'sotto-bond|dced38f3ccc06fc6f92732ada32e1162|520');
});

test('a certificate holds for its node, its period and its key alone', () => {
  assert.ok(isCertified(certificate, { publicKey, signature }));
  assert.ok(!isCertified({ ...certificate, expiry: 521 }, { publicKey, signature }));
  assert.ok(!isCertified({ ...certificate, nodeId: '00'.repeat(16) }, { publicKey, signature }));
  const other = secp256k1.getPublicKey(new Uint8Array(32).fill(8));
  assert.ok(!isCertified(certificate, { publicKey: other, signature }));
  assert.ok(!isCertified(certificate, { publicKey: new Uint8Array(33), signature }));
  assert.ok(!isCertified(certificate, { publicKey, signature: signature.subarray(1) }));
});

test('what Electrum 4.3.4 signs as a message is a certificate', () => {
  const line =
    'IHCEXBIsL4rdocJNzski8BlbvYqV8Yl7zmxmWgJzm2zPW6murEJSM0eB8iovYPQFoQrFb9nJ658OeBYDfEECqrU=';
  assert.ok(isCertified(certificate, { publicKey, signature: signatureOfWallet(line) }));
});

test('the signature is taken from what a wallet gives out', () => {
  const line = ` ${toBase64(concatBytes(Uint8Array.of(32), signature))}\n`;
  assert.equal(toHex(signatureOfWallet(line)), toHex(signature));
  for (const text of ['', 'not base64!', toBase64(signature)]) {
    assert.throws(() => signatureOfWallet(text), UserError);
  }
});
