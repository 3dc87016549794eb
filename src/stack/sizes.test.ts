import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { SERVICE_NAMES } from './service.ts';
import { sizesOf } from './sizes.ts';

const target = fc.constantFrom('fulcrum', 'electrs', 'devnet');
/** What the configuration takes at least, and up. */
const memoryMiB = fc.integer({ min: 3328, max: 2 ** 20 });

test('all services together take no more than what there is', () => {
  fc.assert(
    fc.property(memoryMiB, target, fc.boolean(), (memory, kind, initialSyncDone) => {
      const { services } = sizesOf({ memoryMiB: memory, target: kind, initialSyncDone });
      const sum = SERVICE_NAMES.reduce((all, name) => all + services[name], 0);
      assert.ok(sum <= memory, `${sum} of ${memory}`);
    }),
  );
});

test('what a service is told to use is less than what it may take', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 20 }),
      target,
      fc.boolean(),
      (memory, kind, done) => {
        const { services, dbcache, dbMem } = sizesOf({
          memoryMiB: memory,
          target: kind,
          initialSyncDone: done,
        });
        assert.ok(dbcache >= 64 && dbcache + 800 <= services.bitcoind);
        assert.ok(dbMem >= 128 && dbMem * 2 < services.target);
      },
    ),
  );
});

test('bitcoind gets most of a large machine for the initial sync, and gives it back', () => {
  const initial = sizesOf({ memoryMiB: 16_384, target: 'fulcrum', initialSyncDone: false });
  const steady = sizesOf({ memoryMiB: 16_384, target: 'fulcrum', initialSyncDone: true });
  assert.ok(initial.dbcache > 6000);
  assert.equal(steady.dbcache, 450);
  assert.equal(steady.services.target, initial.services.target);
});
