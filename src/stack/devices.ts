import { join } from 'node:path';
import { base32nopad } from '@scure/base';
import { MalformedBytesError } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import {
  createSecretFile,
  makePrivateDirectory,
  readIfPresent,
  removeIfPresent,
} from '../io/durable-file.ts';
import { isCode, namesIfPresent } from '../io/file-tree.ts';
import { give } from '../io/ownership.ts';
import {
  newClientKey,
  parseAuth,
  renderAuth,
  renderAuthPrivate,
} from '../tor/client-authorization.ts';
import type { Home } from './home.ts';
import type { Plan } from './plan.ts';

/** A machine with a wallet that may reach the private onion, as the server knows it. */
export interface Device {
  readonly name: string;
  /** 52 letters of base32; absent when its file is damaged: then it cannot come in. */
  readonly publicKey?: string;
}

/** What a new device needs, and nobody else may see. The server keeps the public half only. */
export interface DeviceAccess {
  readonly name: string;
  readonly onion: string;
  /** Where the device's tor looks for it: in its ClientOnionAuthDir, under a name that ends so. */
  readonly fileName: string;
  /** The line of that file, without its end. Secret. */
  readonly line: string;
}

/** The server itself, which calls its own wallet onion to see that it answers. */
export const OWN_DEVICE = 'sotto';

const DEVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
const SUFFIX = '.auth';

/** @throws UserError unless it can be the name of a person's device. */
function requireDeviceName(name: string): void {
  if (!DEVICE_NAME.test(name)) {
    throw new UserError(`"${name}" cannot be the name of a device`, {
      hint: 'Take 1 to 32 small letters, digits and hyphens, with no hyphen at an end: my-phone',
    });
  }
  if (name === OWN_DEVICE) {
    throw new UserError(`the device "${OWN_DEVICE}" is this server itself`, {
      hint: 'It calls its own onion to see that it answers. Take another name.',
    });
  }
}

/** The devices that have a key, by name; the server's own among them. */
export async function listDevices(home: Home): Promise<readonly Device[]> {
  const directory = devicesDirectory(home);
  const names = (await namesIfPresent(directory)).filter((name) => name.endsWith(SUFFIX));
  return Promise.all(
    names.map(async (file): Promise<Device> => {
      const name = file.slice(0, -SUFFIX.length);
      const key = await readPublicKey(join(directory, file));
      return key ? { name, publicKey: base32nopad.encode(key) } : { name };
    }),
  );
}

/**
 * Makes a key for a device. It is not stored: what is returned is all there is of it.
 * @throws UserError when the name will not do, or is taken.
 */
export async function addDevice(plan: Plan, name: string): Promise<DeviceAccess> {
  requireDeviceName(name);
  const { home, user } = plan;
  const onion = plan.onions.wallet;
  const { publicKey, privateKey } = newClientKey();
  const path = deviceFile(home, name);
  await makePrivateDirectory(devicesDirectory(home));
  await give(devicesDirectory(home), user);
  try {
    await createSecretFile(path, renderAuth(publicKey));
  } catch (cause) {
    if (!isCode(cause, 'EEXIST')) throw cause;
    throw new UserError(`there is a device "${name}" already`, {
      hint: `Take another name, or take its key away with: sotto device revoke ${name}`,
      cause,
    });
  }
  await give(path, user);
  return {
    name,
    onion,
    fileName: `sotto-${name}.auth_private`,
    line: renderAuthPrivate({ onion, privateKey }).trimEnd(),
  };
}

/**
 * Forgets the key of a device. A tor that runs goes on letting it in until it is told.
 * @throws UserError as `requireRevocable`.
 */
export async function removeDevice(home: Home, name: string): Promise<void> {
  await requireRevocable(home, name);
  await removeIfPresent(deviceFile(home, name));
}

/** @throws UserError, naming the devices there are, unless there is this one and it is a person's. */
export async function requireRevocable(home: Home, name: string): Promise<void> {
  if (name === OWN_DEVICE) {
    throw new UserError(`the device "${OWN_DEVICE}" is this server itself, and stays`);
  }
  const names = (await listDevices(home)).map((device) => device.name);
  if (names.includes(name)) return;
  const others = names.filter((other) => other !== OWN_DEVICE);
  throw new UserError(`there is no device "${name}"`, {
    hint: others.length === 0 ? 'There is none at all.' : `There are: ${others.join(', ')}`,
  });
}

/**
 * tor passes over key files that it cannot read, and opens the onion when nothing is left.
 * @throws UserError unless the wallet onion has a device, or is meant to be open.
 */
export async function requireDevice({
  home,
  config,
}: Pick<Plan, 'home' | 'config'>): Promise<void> {
  if (config.openWallet) return;
  const devices = await listDevices(home);
  if (devices.some(({ publicKey }) => publicKey !== undefined)) return;
  throw new UserError('the wallet onion would be open to everyone: no device has a key to it', {
    hint: 'Give one to a device with: sotto device add NAME. Or say open_wallet: true in sotto.yaml.',
  });
}

/** What tor reads to know a device. */
export function deviceFile(home: Home, name: string): string {
  return join(devicesDirectory(home), `${name}${SUFFIX}`);
}

function devicesDirectory(home: Home): string {
  return join(home.onion('wallet'), 'authorized_clients');
}

/** Undefined when there is no such file, and when tor could not use it. */
export async function readPublicKey(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readIfPresent(path);
    return bytes && parseAuth(bytes);
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}
