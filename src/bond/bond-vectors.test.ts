import { secp256k1 } from '@noble/curves/secp256k1.js';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import { type BlockHeader } from '../bitcoin/block-header.ts';
import { certificateHash, certificateText } from './bond-certificate.ts';
import { parseBondFile, renderBondFile } from './bond-file.ts';
import { bondAddress, bondScript } from './bond-script.ts';
import { type BondChain, verifyBond } from './verify-bond.ts';

const VECTORS = new URL('../../spec/vectors/', import.meta.url);

interface BondVector {
  /** The file of section 12. */
  readonly bond: string;
  /** Of the headers that were verified, what is looked at. */
  readonly chain: {
    readonly tip: number;
    readonly headers: readonly (Pick<BlockHeader, 'merkleRoot' | 'time'> & {
      readonly height: number;
    })[];
  };
}

interface ValidBond extends BondVector {
  readonly secretKey: string;
  readonly certificate: string;
  readonly script: string;
  readonly address: string;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

const valid = read('valid/bond.json') as ValidBond;

test('a bond is made and signed like this', () => {
  const { nodeId, bond, proof } = parseBondFile(valid.bond);
  assert.equal(renderBondFile({ nodeId, bond, proof }), valid.bond);
  assert.equal(toHex(bondScript(bond)), valid.script);
  assert.equal(bondAddress(bond, 'regtest'), valid.address);
  assert.equal(certificateText({ nodeId, expiry: bond.expiry }), valid.certificate);
  const secretKey = fromHex(valid.secretKey);
  assert.deepEqual(secp256k1.getPublicKey(secretKey), bond.publicKey);
  const hash = certificateHash({ nodeId, expiry: bond.expiry });
  assert.deepEqual(secp256k1.sign(hash, secretKey, { prehash: false }), bond.signature);
});

test('a bond is proved like this', () => {
  verify(valid);
});

const refused = readdirSync(new URL('invalid', VECTORS)).filter((name) => name.startsWith('bond-'));

test.each(refused)('%s is refused with its code', (name) => {
  const vector = read(`invalid/${name}`) as BondVector & { code: string };
  assert.throws(
    () => {
      verify(vector);
    },
    { name: 'DirectoryError', code: vector.code },
  );
});

function verify({ bond, chain }: BondVector): void {
  const headers = new Map(chain.headers.map((header) => [header.height, header] as const));
  const verified: BondChain = {
    tip: { height: chain.tip },
    headerAt: (height) => headers.get(height) as BlockHeader | undefined,
  };
  verifyBond(parseBondFile(bond), verified);
}
