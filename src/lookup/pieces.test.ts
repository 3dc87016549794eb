import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { readPieces } from './pieces.ts';

test('every index is read once or more, whatever each piece holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        from: fc.nat(60),
        more: fc.nat(60),
        stride: fc.integer({ min: 1, max: 10 }),
        sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
      }),
      async ({ from, more, stride, sizes }) => {
        const total = from + more;
        const held = new Set<number>();
        let reads = 0;
        await readPieces({
          from,
          total,
          stride,
          read(index) {
            const size = Math.min(sizes[reads++ % sizes.length] ?? 1, total - index);
            for (let at = index; at < index + size; at++) held.add(at);
            return Promise.resolve(size);
          },
        });
        assert.equal(held.size, more);
      },
    ),
  );
});

test('pieces that hold what is expected are all asked for together', async () => {
  let asking = 0;
  let most = 0;
  await readPieces({
    from: 4,
    total: 40,
    stride: 4,
    async read() {
      most = Math.max(most, ++asking);
      await Promise.resolve();
      asking -= 1;
      return 4;
    },
  });
  assert.equal(most, 9);
});

test('an error of one piece is the error of all', async () => {
  const read = (index: number): Promise<number> =>
    index === 6 ? Promise.reject(new Error('piece 6')) : Promise.resolve(3);
  await assert.rejects(readPieces({ from: 0, total: 12, stride: 3, read }), /piece 6/);
});
