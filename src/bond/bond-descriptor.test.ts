import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex } from '../base/bytes.ts';
import { bondDescriptor, descriptorChecksum } from './bond-descriptor.ts';

/** The key of the secret 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');
const terms = { locktime: 1_800_000_000, publicKey };

test('the checksum is that of BIP 380', () => {
  assert.equal(descriptorChecksum('raw(deadbeef)'), '89f8spxm');
  assert.throws(() => descriptorChecksum('raw(é)'), RangeError);
});

test('a wallet is told the script as a descriptor, and where its key comes from', () => {
  // As getdescriptorinfo of Bitcoin Core 31 answers.
  assert.equal(
    bondDescriptor(terms),
    'wsh(and_v(v:pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798),after(1800000000)))#8qh6r2cp',
  );
  assert.equal(
    bondDescriptor({ ...terms, locktime: 0x7fff_ffff }, 'd34db33f/84h/0h/0h/0/7'),
    'wsh(and_v(v:pk([d34db33f/84h/0h/0h/0/7]0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798),after(2147483647)))#m3za3mam',
  );
});
