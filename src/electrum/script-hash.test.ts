import assert from 'node:assert/strict';
import { test } from 'vitest';
import { scriptOfAddress } from '../bitcoin/address.ts';
import { scriptHashOf } from './script-hash.ts';

test('the script hash of the first address is that of the protocol documentation', () => {
  assert.equal(
    scriptHashOf(scriptOfAddress('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'mainnet')),
    '8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161',
  );
});
