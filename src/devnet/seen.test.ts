import assert from 'node:assert/strict';
import { test } from 'vitest';
import { fromHex, reverseBytes, toHex } from '../base/bytes.ts';
import { type AddressMarks, addressesIn, seenByRoles } from './seen.ts';

function marks(byte: string): AddressMarks {
  return {
    address: `bcrt1q${byte.repeat(10)}`,
    scriptHash: byte.repeat(32),
    script: fromHex(`0014${byte.repeat(20)}`),
  };
}

const ordered = { ...marks('aa'), scriptHash: toHex(Uint8Array.from({ length: 32 }, (_, i) => i)) };
const wallet = [ordered, marks('bb'), marks('cc')];

test('an address is found in every form in which a program could have written it', () => {
  const hash = fromHex(ordered.scriptHash);
  const forms: (string | Uint8Array)[] = [
    ordered.address,
    ordered.scriptHash,
    toHex(reverseBytes(hash)),
    hash,
    reverseBytes(hash),
    ordered.script,
    toHex(ordered.script),
  ];
  for (const form of forms) {
    const chunks = [Buffer.from('before'), Buffer.from(form), Buffer.from('after')];
    assert.equal(addressesIn(chunks, wallet), 1);
  }
  assert.equal(addressesIn([Buffer.from('none of them')], wallet), 0);
});

test('what a node saw is counted by role, and a relay that saw an address would show it', () => {
  const leaked = `ff${ordered.scriptHash}ff`;
  const lines = [
    { role: 'relay', circuit: '1', nodeId: 'n1', cell: '00ff' },
    { role: 'relay', circuit: '1', nodeId: 'n2', cell: leaked },
    { role: 'relay', circuit: '2', nodeId: 'n2', cell: 'ff' },
    { role: 'gateway', circuit: '9', op: 1, args: 'bb'.repeat(32) },
  ].map((line) => JSON.stringify(line));
  assert.deepEqual(seenByRoles(`${lines.join('\n')}\n`, wallet), {
    relay: { cells: 3, circuits: 2, gateways: 2, addresses: 1 },
    gateway: { cells: 1, links: 1, addresses: 1 },
  });
});
