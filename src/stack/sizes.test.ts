import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { SERVICE_NAMES } from './service.ts';
import { sizesOf } from './sizes.ts';

const target = fc.constantFrom('fulcrum', 'electrs', 'devnet');
/** What the configuration takes at least, and up. */
const memory = fc
  .tuple(fc.integer({ min: 3328, max: 2 ** 20 }), fc.boolean())
  .filter(([memoryMiB, hasBridge]) => memoryMiB >= 3712 || !hasBridge);

test('all services together take no more than what there is', () => {
  fc.assert(
    fc.property(memory, target, fc.boolean(), ([memoryMiB, hasBridge], kind, initialSyncDone) => {
      const { services } = sizesOf({ memoryMiB, target: kind, initialSyncDone, hasBridge });
      const there = SERVICE_NAMES.filter((name) => name !== 'bridge' || hasBridge);
      const sum = there.reduce((all, name) => all + services[name], 0);
      assert.ok(sum <= memoryMiB, `${sum} of ${memoryMiB}`);
    }),
  );
});

test('what a service is told to use is less than what it may take', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 20 }),
      target,
      fc.record({ initialSyncDone: fc.boolean(), hasBridge: fc.boolean() }),
      (memoryMiB, kind, rest) => {
        const { services, dbcache, dbMem } = sizesOf({ memoryMiB, target: kind, ...rest });
        assert.ok(dbcache >= 64 && dbcache + 800 <= services.bitcoind);
        assert.ok(dbMem >= 128 && dbMem * 2 < services.target);
      },
    ),
  );
});

test('bitcoind gets most of a large machine for the initial sync, and gives it back', () => {
  const machine = { memoryMiB: 16_384, target: 'fulcrum', hasBridge: true } as const;
  const initial = sizesOf({ ...machine, initialSyncDone: false });
  const steady = sizesOf({ ...machine, initialSyncDone: true });
  assert.ok(initial.dbcache > 6000);
  assert.equal(steady.dbcache, 450);
  assert.equal(steady.services.target, initial.services.target);
});
