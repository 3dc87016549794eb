import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'vitest';
import { UserError } from '../base/errors.ts';
import { Scope } from '../base/lifecycle.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { dialUnix, listenUnix } from '../io/unix-socket.ts';
import { type BridgeStatus } from './bridge-status.ts';
import { askStatus, startStatusSocket, statusSocketIn } from './status-socket.ts';

const signal = AbortSignal.timeout(10_000);
const TIP = { height: 7, hash: 'ab'.repeat(32) };
const STATUS: BridgeStatus = {
  wallets: 2,
  connections: 3,
  watching: { watched: 40, cached: 38, waiting: 2, lastProof: { tip: TIP, at: 1_796_083_200_000 } },
  exposure: {
    gateways: [{ name: 'cd'.repeat(16), addresses: 12 }],
    relays: [{ nodeId: 'ef'.repeat(16), addresses: 40, clients: 64 }],
  },
  tip: TIP,
  feesAgeMs: 1234,
};

/** A socket that tells this, and where it is. */
async function socketThatTells(
  status: () => BridgeStatus | undefined,
): Promise<AsyncDisposable & { readonly path: string }> {
  await using starting = new Scope();
  const { path: directory } = starting.use(await makeTemporaryDirectory());
  const path = statusSocketIn(directory);
  starting.use(await startStatusSocket({ path, status }));
  const scope = starting.move();
  return { path, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test('it tells the status as it is when it is asked', async () => {
  let status: BridgeStatus | undefined;
  await using socket = await socketThatTells(() => status);
  assert.equal(await askStatus(socket.path, signal), undefined);
  status = STATUS;
  assert.deepEqual(await askStatus(socket.path, signal), STATUS);
  assert.deepEqual(await askStatus(socket.path, signal), STATUS);
});

test('what is not known is left out', async () => {
  const status: BridgeStatus = {
    ...STATUS,
    watching: { ...STATUS.watching, lastProof: undefined },
    exposure: { gateways: [], relays: [{ nodeId: 'ef', addresses: 0, clients: undefined }] },
    feesAgeMs: undefined,
  };
  await using socket = await socketThatTells(() => status);
  const told = await askStatus(socket.path, signal);
  assert.deepEqual(JSON.parse(JSON.stringify(told)), JSON.parse(JSON.stringify(status)));
});

test('only its owner can open the socket', async () => {
  await using socket = await socketThatTells(() => STATUS);
  assert.equal((await stat(socket.path)).mode & 0o777, 0o600);
});

test('whoever connects and reads nothing keeps nobody from asking', async () => {
  await using socket = await socketThatTells(() => STATUS);
  const idle = await Promise.all(Array.from({ length: 5 }, () => dialUnix(socket.path, signal)));
  assert.deepEqual(await askStatus(socket.path, signal), STATUS);
  for (const stream of idle) stream.destroy();
});

test('without a bridge it says so', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = statusSocketIn(directory.path);
  await assert.rejects(askStatus(path, signal), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^no bridge answers at/);
    return true;
  });
});

test('a bridge that ends before it has answered is none', async () => {
  await using directory = await makeTemporaryDirectory();
  const path = statusSocketIn(directory.path);
  const other = await listenUnix({
    path,
    maxConnections: 1,
    onConnection: (stream) => stream.destroy(),
  });
  await assert.rejects(askStatus(path, signal), /no bridge answers at/);
  await other[Symbol.asyncDispose]();
});
