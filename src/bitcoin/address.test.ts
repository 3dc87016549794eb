import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex, toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { addressOfScript, scriptOfAddress } from './address.ts';
import type { Network } from './networks.ts';

/** Sources: BIP 173, BIP 350, and the first block's coinbase. */
const EXAMPLES: readonly [Network, string, string][] = [
  [
    'mainnet',
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    '0014751e76e8199196d454941c45d1b3a323f1433bd6',
  ],
  [
    'testnet4',
    'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx',
    '0014751e76e8199196d454941c45d1b3a323f1433bd6',
  ],
  [
    'mainnet',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  ],
  [
    'mainnet',
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
  ],
];

test.each(EXAMPLES)('the %s address %s has its script', (network, address, script) => {
  assert.equal(toHex(scriptOfAddress(address, network)), script);
  assert.equal(addressOfScript(fromHex(script), network), address);
});

test('a regtest address starts with bcrt1', () => {
  const script = fromHex('0014751e76e8199196d454941c45d1b3a323f1433bd6');
  const address = addressOfScript(script, 'regtest');
  assert.match(address ?? '', /^bcrt1q/);
  assert.deepEqual(scriptOfAddress(address ?? '', 'regtest'), script);
});

test.each([
  ['of another network', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'],
  ['with a wrong checksum', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5'],
  ['of no kind', 'hello'],
  ['that is empty', ''],
])('an address %s is refused with a hint', (_, address) => {
  assert.throws(
    () => scriptOfAddress(address, 'mainnet'),
    (error) => error instanceof UserError && error.hint !== undefined,
  );
});

test('a script without an address has none', () => {
  assert.equal(addressOfScript(fromHex('6a0401020304'), 'mainnet'), undefined);
  assert.equal(addressOfScript(new Uint8Array(), 'mainnet'), undefined);
});
