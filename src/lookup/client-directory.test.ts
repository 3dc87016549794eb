import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import {
  signedBy,
  TEST_TIME,
  testAuthorities,
  testConsensus,
  testContent,
  testPolicy,
} from '../../test/test-directory.ts';
import { silent } from '../base/log.ts';
import { DialError } from '../io/dial.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { openClientDirectory } from './client-directory.ts';

test('a consensus with too few relays is renewed from the relays of the policy', async () => {
  await using directory = await makeTemporaryDirectory();
  const authorities = testAuthorities(3);
  const content = testContent();
  const few = { ...content, nodes: content.nodes.slice(0, 2) };
  await writeFile(join(directory.path, 'consensus.note'), signedBy(few, authorities));
  const bootstrap = [{ host: `${'a'.repeat(56)}.onion`, port: 50_010 }];
  const dialled: string[] = [];
  const { consensus, pool } = await openClientDirectory({
    policy: { ...testPolicy(authorities), bootstrap },
    dial: ({ host }) => {
      dialled.push(host);
      return Promise.reject(new DialError('away'));
    },
    directory: directory.path,
    clock: () => (TEST_TIME + 7 * 3600) * 1000,
    log: silent,
  });
  assert.equal(consensus.current()?.epoch, 1);
  await consensus[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
  assert.deepEqual(dialled, [`${'a'.repeat(56)}.onion`]);
});

test('the own relays are asked for a newer consensus after the one held has expired, too', async () => {
  await using directory = await makeTemporaryDirectory();
  const authorities = testAuthorities(3);
  const held = testConsensus();
  await writeFile(join(directory.path, 'consensus.note'), signedBy(held, authorities));
  const bootstrap = [{ host: `${'a'.repeat(56)}.onion`, port: 50_010 }];
  const dialled: string[] = [];
  const { consensus, choices, pool } = await openClientDirectory({
    policy: { ...testPolicy(authorities), bootstrap },
    dial: ({ host }) => {
      dialled.push(host);
      return Promise.reject(new DialError('away'));
    },
    directory: directory.path,
    clock: () => held.validUntil * 1000,
    log: silent,
  });
  const own = choices.relays(held);
  const { signal } = new AbortController();
  await assert.rejects(consensus.refresh({ signal }), { code: 'unavailable' });
  await consensus[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
  assert.ok(own.length > 0);
  assert.deepEqual(
    own.filter(({ onion }) => !dialled.includes(onion.host)),
    [],
  );
});
