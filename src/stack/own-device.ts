import { dirname, join } from 'node:path';
import { equalBytes, MalformedBytesError } from '../base/bytes.ts';
import { makePrivateDirectory, readIfPresent, writeDurably } from '../io/durable-file.ts';
import { give } from '../io/ownership.ts';
import {
  clientPublicKeyOf,
  newClientKey,
  parseAuthPrivate,
  renderAuth,
  renderAuthPrivate,
} from '../tor/client-authorization.ts';
import { deviceFile, OWN_DEVICE, readPublicKey } from './devices.ts';
import type { Plan } from './plan.ts';

/**
 * Gives this server's own tor the key of a device, so that it can call the wallet onion as wallets
 * do. With it the onion is never without a device: tor opens one that has none to everyone.
 * @returns whether a key was made, because there was none or it is not of this onion.
 */
export async function ensureOwnDevice(plan: Plan): Promise<boolean> {
  const { home, onions, user } = plan;
  const access = join(home.data('tor'), 'client-keys', 'wallet.auth_private');
  const auth = deviceFile(home, OWN_DEVICE);
  const [held, allowed] = [await readOwnKey(access, onions.wallet), await readPublicKey(auth)];
  if (held && allowed && equalBytes(clientPublicKeyOf(held), allowed)) return false;
  const { privateKey, publicKey } = held
    ? { privateKey: held, publicKey: clientPublicKeyOf(held) }
    : newClientKey();
  for (const [path, text] of [
    [access, renderAuthPrivate({ onion: onions.wallet, privateKey })],
    [auth, renderAuth(publicKey)],
  ] as const) {
    await makePrivateDirectory(dirname(path));
    await give(dirname(path), user);
    // In one step: the onion is never without a device.
    await writeDurably(path, text);
    await give(path, user);
  }
  return true;
}

async function readOwnKey(path: string, onion: string): Promise<Uint8Array | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    const access = parseAuthPrivate(bytes);
    return access.onion === onion ? access.privateKey : undefined;
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}
