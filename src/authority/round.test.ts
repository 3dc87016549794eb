import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SimulatedAuthorities, type SimulatedAuthority } from '../../test/simulated-authorities.ts';
import { toHex } from '../base/bytes.ts';

async function started(count: number, running: number = count) {
  const network = new SimulatedAuthorities(count);
  for (const authority of network.all.slice(0, running)) await authority.start();
  return network;
}

const hashOf = ({ newest }: SimulatedAuthority): string | undefined => newest && toHex(newest.hash);

test('five authorities publish the same consensus, one after the other', async () => {
  const network = await started(5);
  for (const index of [0, 1, 2]) {
    await network.runThrough(index);
    const { epoch } = network.slot(index);
    assert.deepEqual(
      network.all.map(({ newest }) => newest?.epoch),
      network.all.map(() => epoch),
    );
    assert.equal(new Set(network.all.map(hashOf)).size, 1);
  }
  assert.equal(network.all[0]?.newest?.nodes.length, 4);
});
