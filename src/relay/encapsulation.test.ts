import assert from 'node:assert/strict';
import { test } from 'vitest';
import vectors from '../../spec/vectors/standard/rfc9458-appendix-a.json' with { type: 'json' };
import { fromHex, toHex } from '../base/bytes.ts';
import { encapsulation } from './encapsulation.ts';
import { keyPairFromSeed } from './x25519.ts';

const { sealRequest, openRequest, secretBytes } = encapsulation({
  aead: { id: 1, cipher: 'aes-128-gcm', keyBytes: 16 },
  requestLabel: vectors.requestLabel,
  responseLabel: vectors.responseLabel,
});

const recipient = keyPairFromSeed(fromHex(vectors.skRm));
const binding = new Uint8Array(0);

test('RFC 9458 appendix A: the client encapsulates the request and opens the response', () => {
  const { request, openResponse } = sealRequest({
    header: fromHex('01002000010001'),
    binding,
    recipientKey: recipient.publicKey,
    ephemeral: keyPairFromSeed(fromHex(vectors.skEm)),
    plaintext: fromHex(vectors.request),
  });
  assert.equal(toHex(request), vectors.encapsulatedRequest);
  assert.equal(toHex(openResponse(fromHex(vectors.encapsulatedResponse))), vectors.response);
});

test('RFC 9458 appendix A: the gateway opens the request and encapsulates the response', () => {
  const opened = openRequest({
    request: fromHex(vectors.encapsulatedRequest),
    binding,
    recipient,
  });
  assert.equal(toHex(opened.plaintext), vectors.request);
  const nonce = fromHex(vectors.responseNonce);
  assert.equal(nonce.length, secretBytes);
  const response = opened.sealResponse(fromHex(vectors.response), nonce);
  assert.equal(toHex(response), vectors.encapsulatedResponse);
});
