import fc from 'fast-check';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'vitest';
import { toHex } from '../base/bytes.ts';
import { splitUpload, Uploads } from './upload.ts';

function uploads(maxParts?: number) {
  const time = { now: 0 };
  return { time, held: new Uploads({ clock: () => time.now, ...(maxParts && { maxParts }) }) };
}

test('a transaction is whole when its last part arrives, in any order, some of them twice', () => {
  const raws = fc.integer({ min: 1, max: 20_000 }).map((length) => randomBytes(length));
  const property = fc.property(
    raws,
    fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
    (raw, keys) => {
      const parts = splitUpload(raw);
      const shuffled = parts
        .map((part, index) => ({ part, key: keys[index] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ part }) => part);
      const { held } = uploads();
      for (const [index, part] of shuffled.slice(0, -1).entries()) {
        held.add(part);
        assert.deepEqual(held.add(part), { state: 'waiting', held: index + 1 });
      }
      const last = shuffled.at(-1);
      assert.ok(last);
      const progress = held.add(last);
      assert.equal(progress.state, 'whole');
      assert.equal(toHex(progress.raw), toHex(raw));
    },
  );
  fc.assert(property, { numRuns: 50 });
});

test('transactions on the way at the same time do not mix', () => {
  const { held } = uploads();
  const [one, two] = [splitUpload(randomBytes(3000)), splitUpload(randomBytes(3000))];
  assert.ok(one[0] && one[1] && two[0]);
  held.add(one[0]);
  held.add(two[0]);
  assert.equal(held.add(one[1]).state, 'whole');
});

test('parts that are not what the upload is named after are forgotten together', () => {
  const { held } = uploads();
  const [first, second] = splitUpload(randomBytes(3000));
  assert.ok(first && second);
  held.add({ ...first, bytes: randomBytes(1800) });
  assert.deepEqual(held.add(second), { state: 'corrupt' });
  held.add(first);
  assert.equal(held.add(second).state, 'whole');
});

test('what is not whole after ten minutes is forgotten', () => {
  const { time, held } = uploads();
  const [first, second] = splitUpload(randomBytes(3000));
  assert.ok(first && second);
  held.add(first);
  time.now = 10 * 60_000;
  assert.deepEqual(held.add(first), { state: 'waiting', held: 1 });
  time.now += 1;
  assert.deepEqual(held.add(second), { state: 'waiting', held: 1 });
});

test('when too many parts wait, the oldest upload makes room', () => {
  const { held } = uploads(2);
  const sent = Array.from({ length: 3 }, () => splitUpload(randomBytes(3000)));
  for (const [first] of sent) {
    assert.ok(first);
    held.add(first);
  }
  const states = sent.toReversed().map(([, second]) => {
    assert.ok(second);
    return held.add(second).state;
  });
  assert.deepEqual(states, ['whole', 'whole', 'waiting']);
});

test('an empty transaction, and one larger than any, are refused', () => {
  assert.equal(splitUpload(new Uint8Array(400_000)).length, 223);
  assert.throws(() => splitUpload(new Uint8Array(400_001)), RangeError);
  assert.throws(() => splitUpload(new Uint8Array(0)), RangeError);
});
