import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { test } from 'vitest';
import { utf8 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { makeTemporaryDirectory } from '../io/temporary-directory.ts';
import { clientPublicKeyOf, parseAuth, parseAuthPrivate } from '../tor/client-authorization.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { addDevice, deviceFile, listDevices, removeDevice, requireDevice } from './devices.ts';
import { homeAt } from './home.ts';
import { ensureOwnDevice } from './own-device.ts';
import type { Plan } from './plan.ts';

type Server = Plan & AsyncDisposable;

/** As much of a server as its devices see. */
async function aServer(seed = 1): Promise<Server> {
  const directory = await makeTemporaryDirectory();
  return {
    home: homeAt(`${directory.path}/home`),
    onions: { wallet: onionKeyFromSeed(new Uint8Array(32).fill(seed)).address },
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    config: { openWallet: false },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  } as unknown as Server;
}

async function namesOf(server: Server): Promise<string[]> {
  return (await listDevices(server.home)).map(({ name }) => name);
}

test('a device gets the private half of the key that tor is told, and the server keeps none', async () => {
  await using server = await aServer();
  const access = await addDevice(server, 'my-phone');
  const { onion, privateKey } = parseAuthPrivate(utf8(access.line));
  assert.equal(onion, server.onions.wallet);
  assert.equal(access.fileName, 'sotto-my-phone.auth_private');
  const path = deviceFile(server.home, 'my-phone');
  assert.deepEqual(parseAuth(await readFile(path)), clientPublicKeyOf(privateKey));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(server.home.onion('wallet'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(server.home.data('tor'), { recursive: true }), [
    'onions',
    'onions/wallet',
    'onions/wallet/authorized_clients',
    'onions/wallet/authorized_clients/my-phone.auth',
  ]);
});

test('a name is taken once, and a device keeps the key it has', async () => {
  await using server = await aServer();
  await addDevice(server, 'phone');
  const before = await listDevices(server.home);
  await assert.rejects(addDevice(server, 'phone'), UserError);
  assert.deepEqual(await listDevices(server.home), before);
});

test('names that are paths, options, too long or the server itself are refused', async () => {
  await using server = await aServer();
  for (const name of ['', '../x', 'a/b', '-a', 'a-', 'Phone', 'a b', 'a.auth', 'ä', 'sotto']) {
    await assert.rejects(addDevice(server, name), UserError, name);
  }
  await assert.rejects(addDevice(server, 'a'.repeat(33)), UserError);
  assert.deepEqual(await namesOf(server), []);
});

test('a device that is removed is gone, and the others are not', async () => {
  await using server = await aServer();
  for (const name of ['phone', 'tablet']) await addDevice(server, name);
  await removeDevice(server.home, 'phone');
  assert.deepEqual(await namesOf(server), ['tablet']);
  await assert.rejects(removeDevice(server.home, 'phone'), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.hint ?? '', /There are: tablet/);
    return true;
  });
});

test('the server itself is a device that stays and keeps its key', async () => {
  await using server = await aServer();
  assert.equal(await ensureOwnDevice(server), true);
  const before = await listDevices(server.home);
  assert.equal(before[0]?.name, 'sotto');
  assert.equal(await ensureOwnDevice(server), false);
  assert.deepEqual(await listDevices(server.home), before);
  await assert.rejects(removeDevice(server.home, 'sotto'), UserError);
});

test('when the onion is another, the server makes itself a key to that one', async () => {
  await using server = await aServer();
  await ensureOwnDevice(server);
  await using other = await aServer(2);
  const rotated = { ...server, onions: other.onions };
  assert.equal(await ensureOwnDevice(rotated), true);
  const file = `${server.home.data('tor')}/client-keys/wallet.auth_private`;
  assert.equal(parseAuthPrivate(await readFile(file)).onion, other.onions.wallet);
  assert.equal(await ensureOwnDevice(rotated), false);
});

test('a half of the own key that is damaged is made anew', async () => {
  await using server = await aServer();
  await ensureOwnDevice(server);
  for (const path of [
    deviceFile(server.home, 'sotto'),
    `${server.home.data('tor')}/client-keys/wallet.auth_private`,
  ]) {
    await writeFile(path, 'damaged');
    assert.equal(await ensureOwnDevice(server), true);
    assert.equal(await ensureOwnDevice(server), false);
  }
});

test('a key that tor cannot read is no device: an onion with none but such is not put up', async () => {
  await using server = await aServer();
  await assert.rejects(requireDevice(server), /open to everyone/);
  await mkdir(`${server.home.onion('wallet')}/authorized_clients`, { recursive: true });
  await writeFile(deviceFile(server.home, 'phone'), 'descriptor:x25519:oops\n');
  assert.deepEqual(await listDevices(server.home), [{ name: 'phone' }]);
  await assert.rejects(requireDevice(server), /open to everyone/);
  await requireDevice({ ...server, config: { ...server.config, openWallet: true } });
  await removeDevice(server.home, 'phone');
  await addDevice(server, 'phone');
  await requireDevice(server);
});
