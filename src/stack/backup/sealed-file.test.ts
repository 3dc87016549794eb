import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { utf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { seal, unseal } from './sealed-file.ts';

const passphrase = 'correct horse battery staple';
const workFactor = 1;

test('what was sealed opens with its passphrase, and with no other', async () => {
  const sealed = await seal(utf8('keys'), { passphrase, workFactor });
  assert.deepEqual(await unseal(sealed, passphrase), utf8('keys'));
  await assert.rejects(unseal(sealed, `${passphrase} `), /passphrase is wrong/);
});

test('a sealed file that was cut or changed anywhere does not open', async () => {
  const sealed = await seal(new Uint8Array(300).fill(7), { passphrase, workFactor });
  await fc.assert(
    fc.asyncProperty(fc.nat(sealed.length - 1), fc.nat(7), async (position, bit) => {
      const flipped = sealed.slice();
      flipped.set([(sealed[position] ?? 0) ^ (1 << bit)], position);
      // A larger work factor in the header is a forgery as well, but takes its time to find out.
      if (/scrypt \S+ \d{2}/.test(String.fromCharCode(...flipped.subarray(0, 80)))) return;
      await assert.rejects(unseal(flipped, passphrase), UserError);
      await assert.rejects(unseal(sealed.slice(0, position), passphrase), UserError);
    }),
    { numRuns: 300 },
  );
});

test('noise is no backup, with or without the first line of one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (noise, headed) => {
      const bytes = headed ? new Uint8Array([...utf8('age-encryption.org/v1\n'), ...noise]) : noise;
      await assert.rejects(unseal(bytes, passphrase), UserError);
    }),
  );
});
