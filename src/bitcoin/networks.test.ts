import assert from 'node:assert/strict';
import { test } from 'vitest';
import { hashOf, parseHeader } from './block-header.ts';
import { targetOf } from './compact-target.ts';
import { NETWORKS, networkParams } from './networks.ts';

test.each(NETWORKS)('the first header of %s has its known hash and proof of work', (network) => {
  const { genesis, genesisHash, powLimit } = networkParams(network);
  assert.equal(hashOf(genesis), genesisHash);
  assert.equal(parseHeader(genesis).bits, powLimit);
  assert.ok(BigInt(`0x${genesisHash}`) <= targetOf(powLimit));
});
