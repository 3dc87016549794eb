import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { openClientState } from './client-state.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-'));
});

afterEach(() => rm(directory, { recursive: true }));

const choices = {
  relays: [{ nodeId: 'aa'.repeat(16), since: 1 }],
  gateways: new Map([['bb'.repeat(32), { nodeId: 'cc'.repeat(16), since: 2, missingSince: 3 }]]),
};

test('secret and choices survive a restart', async () => {
  const first = await openClientState(directory);
  assert.equal(first.secret.length, 32);
  await first.save(choices);
  const second = await openClientState(directory);
  assert.deepEqual(second.secret, first.secret);
  assert.deepEqual(second.choices, choices);
});

test('two wallets draw two secrets', async () => {
  const first = await openClientState(join(directory, 'a'));
  const second = await openClientState(join(directory, 'b'));
  assert.notDeepEqual(first.secret, second.secret);
});

test('the last of several saves is the one that stays', async () => {
  const state = await openClientState(directory);
  const saves = [1, 2, 3].map((since) =>
    state.save({ ...choices, relays: [{ nodeId: 'aa'.repeat(16), since }] }),
  );
  await Promise.all(saves);
  const { relays } = (await openClientState(directory)).choices;
  assert.equal(relays[0]?.since, 3);
});

test('only the owner can read the files', async () => {
  const state = await openClientState(directory);
  await state.save(choices);
  const files = await readdir(directory);
  assert.deepEqual(files.sort(), ['choices.json', 'wallet-secret']);
  for (const file of files) {
    assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600);
  }
});

test.each(['{', '{}', '{"version":1,"relays":[{"nodeId":"x","since":0}],"gateways":{}}'])(
  'damaged choices are not replaced: %s',
  async (text) => {
    await writeFile(join(directory, 'choices.json'), text);
    await assert.rejects(openClientState(directory), UserError);
  },
);

test('a secret of another length is refused', async () => {
  await writeFile(join(directory, 'wallet-secret'), 'short');
  await assert.rejects(openClientState(directory), UserError);
});
