import assert from 'node:assert/strict';
import { afterEach, test, vi } from 'vitest';
import { UserError } from '../base/errors.ts';
import { silent } from '../base/log.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { startCoreChain } from './core-chain.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('without bitcoind the operator is told what to install', async () => {
  await using directory = await makeTemporaryDirectory();
  vi.stubEnv('PATH', directory.path);
  await assert.rejects(
    startCoreChain({
      directory: directory.path,
      port: 0,
      log: silent,
      signal: new AbortController().signal,
    }),
    (error) =>
      error instanceof UserError &&
      error.message === 'bitcoind is not on PATH' &&
      error.hint?.includes('Install Bitcoin Core') === true,
  );
});
