import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { homeAt } from './home.ts';
import { whileHomeIsLocked } from './home-lock.ts';

test('one command at a time changes a server, and the next one may when it is done', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const again = (): Promise<string> => whileHomeIsLocked(home, () => Promise.resolve('changed'));
  await whileHomeIsLocked(home, () => assert.rejects(again(), UserError));
  assert.equal(await again(), 'changed');
});

test('a change that fails lets the next command in', async () => {
  await using directory = await makeTemporaryDirectory();
  const home = homeAt(directory.path);
  const failing = whileHomeIsLocked(home, () => Promise.reject(new Error('no room')));
  await assert.rejects(failing, /no room/);
  assert.equal(await whileHomeIsLocked(home, () => Promise.resolve(1)), 1);
});
