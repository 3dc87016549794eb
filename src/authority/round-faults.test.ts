import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'vitest';
import { forgeVote, showingVotes } from '../../test/lying-authority.ts';
import { SimulatedAuthorities, type SimulatedAuthority } from '../../test/simulated-authorities.ts';
import { testDescriptorNote } from '../../test/test-directory.ts';
import { toHex } from '../base/bytes.ts';

/** A vote shown to one authority, from some time after voting began; all times in milliseconds. */
const lie = fc.record({
  to: fc.nat(4),
  fromMs: fc.integer({ min: 0, max: 300_000 }),
  mixMs: fc.nat(2),
  cosigned: fc.boolean(),
});

const fault = fc.oneof(
  fc.record({ kind: fc.constant('down' as const) }),
  fc.record({ kind: fc.constant('noise' as const) }),
  fc.record({
    kind: fc.constant('wrong clock' as const),
    byMs: fc.integer({ min: -400_000, max: 400_000 }),
  }),
  fc.record({
    kind: fc.constant('crash' as const),
    atMs: fc.integer({ min: 0, max: 900_000 }),
    downMs: fc.integer({ min: 0, max: 300_000 }),
  }),
  { arbitrary: fc.record({ kind: fc.constant('lies' as const), lies: fc.array(lie) }), weight: 4 },
);

/** Each takes about a third of a second. */
const RUNS = 5;

type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

const plan = fc.record({
  faulty: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
  faults: fc.tuple(fault, fault),
  /** A delay of up to 8 s for each message, one after the other. */
  delays: fc.array(fc.nat(8000), { minLength: 7, maxLength: 7 }),
  /** Who lists a node that not all know. */
  listing: fc.subarray([0, 1, 2, 3, 4]),
});

function afflict(
  authority: SimulatedAuthority,
  trouble: Fault,
  { network, accomplices }: { network: SimulatedAuthorities; accomplices: SimulatedAuthority[] },
): void {
  const slot = network.slot(0);
  switch (trouble.kind) {
    case 'down':
    case 'crash':
      return;
    case 'noise':
      authority.answer = () => randomBytes(300);
      return;
    case 'wrong clock':
      authority.clockOffsetMs = trouble.byMs;
      return;
    case 'lies': {
      const votes = trouble.lies.map((each) => ({
        asker: network.all[each.to]?.name,
        fromMs: slot.votesMs + each.fromMs,
        note: forgeVote(authority, {
          slot,
          changes: { params: new Map([['mix-ms', each.mixMs]]) },
          cosigners: each.cosigned ? accomplices.map(({ key }) => key) : [],
        }),
      }));
      authority.answer = showingVotes((asker) => {
        const shown = votes.filter((v) => v.asker === asker && network.time.nowMs >= v.fromMs);
        return shown.map(({ note }) => note);
      });
    }
  }
}

/** Runs one that is killed and comes back, at times after the slot has opened. */
async function crash(
  authority: SimulatedAuthority,
  { atMs, downMs }: { atMs: number; downMs: number },
  network: SimulatedAuthorities,
): Promise<void> {
  const { signal } = new AbortController();
  const { opensMs } = network.slot(0);
  await authority.start();
  await network.time.sleepUntil(opensMs + atMs, signal);
  authority.kill();
  await network.time.sleepUntil(opensMs + atMs + downMs, signal);
  await authority.start();
}

test('whatever two of five do, the others publish the same consensus and sign no other', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ faulty, faults, delays, listing }) => {
      const network = new SimulatedAuthorities(5);
      let messages = 0;
      network.passage = () => delays[messages++ % delays.length] ?? 0;
      const extra = testDescriptorNote('e');
      for (const index of listing) network.all[index]?.addDescriptor(extra);
      const honest = network.all.filter((_, index) => !faulty.includes(index));
      for (const authority of honest) await authority.start();
      for (const [index, trouble] of faults.slice(0, faulty.length).entries()) {
        const authority = network.all[faulty[index] ?? 0];
        assert.ok(authority !== undefined);
        const accomplices = network.all.filter(
          (each) => each !== authority && !honest.includes(each),
        );
        afflict(authority, trouble, { network, accomplices });
        if (trouble.kind === 'wrong clock') await authority.start();
        if (trouble.kind === 'crash') void crash(authority, trouble, network);
      }
      await network.runThrough(0);
      const { epoch } = network.slot(0);
      const hashes = honest.map(({ newest }) => newest && toHex(newest.hash));
      for (const { newest, signatures } of honest) {
        assert.equal(newest?.epoch, epoch);
        assert.deepEqual([...(signatures.get(epoch) ?? [])], [hashes[0]]);
      }
      for (const { votes, signatures } of network.all) {
        assert.ok((votes.get(epoch)?.size ?? 0) <= 1);
        assert.ok((signatures.get(epoch)?.size ?? 0) <= 1);
      }
    }),
    { numRuns: RUNS },
  );
}, 60_000);
