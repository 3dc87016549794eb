import assert from 'node:assert/strict';
import { test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { BitcoinRpcError, RPC_IN_WARMUP } from '../../bitcoin/rpc-client.ts';
import { DialError } from '../../io/dial.ts';
import { failureOf, readResult } from './bitcoin-cli.ts';

function failure(stderr: string): Error {
  return failureOf({ code: 1, stdout: '', stderr });
}

test('an answer of bitcoind that is an error keeps its code and words', () => {
  const error = failure('error code: -28\nerror message:\nLoading block index…\n');
  assert.ok(error instanceof BitcoinRpcError);
  assert.equal(error.code, RPC_IN_WARMUP);
  assert.equal(error.message, 'Loading block index…');
});

test('a bitcoind that does not answer is told apart from one that does', () => {
  for (const words of [
    'error: timeout on transient error: Could not connect to the server 127.0.0.1:8332 (error code 1 - "EOF reached")\n\nMake sure the bitcoind server is running',
    'error: Could not locate RPC credentials. No authentication cookie could be found, and RPC password is not set.',
    'Error response from daemon: Container 0123456789ab is not running',
    'Error response from daemon: No such container: sotto-bitcoind-1',
    'Error response from daemon: Container 0123456789ab is restarting, wait until the container is running',
  ]) {
    assert.ok(failure(words) instanceof DialError, words);
  }
});

test('refusals of the RPC server have codes', () => {
  const refused = failure('error: Authorization failed: Incorrect rpcuser or rpcpassword');
  assert.ok(refused instanceof BitcoinRpcError);
  assert.equal(refused.code, 401);
  const forbidden = failure('error: server returned HTTP error 403');
  assert.ok(forbidden instanceof BitcoinRpcError);
  assert.equal(forbidden.code, 403);
});

test('anything else is an error of docker', () => {
  assert.ok(failure('exec: "bitcoin-cli": executable file not found') instanceof UserError);
});

test('a result is read as bitcoin-cli prints it', () => {
  assert.equal(readResult('00ff\n', z.string()), '00ff');
  assert.equal(readResult('123456\n', z.string()), '123456');
  assert.equal(readResult('123456\n', z.int()), 123456);
  assert.equal(readResult('', z.null()), null);
  assert.equal(readResult('true\n', z.boolean()), true);
  assert.deepEqual(readResult('{\n  "a": [1]\n}\n', z.strictObject({ a: z.array(z.int()) })), {
    a: [1],
  });
  assert.throws(() => readResult('{"a": 1', z.strictObject({ a: z.int() })), z.ZodError);
});
