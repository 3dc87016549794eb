import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fromUtf8, toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';
import { openNodeKeys, openSeed } from '../node/node-keys.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import type { Home, OnionName } from './home.ts';
import type { RpcUser } from './plan-context.ts';
import { rpcUser } from './rpc-user.ts';

/** What one installation alone knows. */
export interface Secrets {
  /** 32 bytes each: seeds of the onions' long-term keys. */
  readonly onionSeeds: Readonly<Record<OnionName, Uint8Array>>;
  readonly targetRpc: RpcUser;
}

const TARGET_USER = 'target';

/**
 * Reads the secrets of a home, and makes those that are missing. Files are 0600 and never replaced.
 * @throws UserError when one is damaged.
 */
export async function openSecrets(home: Home): Promise<Secrets> {
  await makePrivateDirectory(home.secrets);
  const wallet = await openSeed(join(home.secrets, 'wallet.seed'));
  const p2p = await openSeed(join(home.secrets, 'p2p.seed'));
  // The node signs its descriptor with the relay onion's key, and so keeps it itself.
  const dataDirectory = home.data('node');
  await makePrivateDirectory(dataDirectory);
  const { onion: relay } = await openNodeKeys(dataDirectory);
  return {
    onionSeeds: { wallet, relay, p2p },
    targetRpc: await openTargetRpc(join(home.secrets, 'rpc-target')),
  };
}

/** The addresses that follow from the seeds. */
export function onionAddresses({ onionSeeds }: Secrets): Readonly<Record<OnionName, string>> {
  const address = (name: OnionName): string => onionKeyFromSeed(onionSeeds[name]).address;
  return { wallet: address('wallet'), relay: address('relay'), p2p: address('p2p') };
}

/** Password and salt, `64 hexadecimal digits:32 hexadecimal digits`: the salt stays, so that bitcoin.conf does. */
async function openTargetRpc(path: string): Promise<RpcUser> {
  const held = await readIfPresent(path);
  const text = held === undefined ? newPassword() : fromUtf8(held).trim();
  const [, password, salt] = /^([0-9a-f]{64}):([0-9a-f]{32})$/.exec(text) ?? [];
  if (password === undefined || salt === undefined) {
    throw new UserError(`${path} is damaged: it is not a password and its salt`, {
      hint: 'Remove it: a new one is made at the next start.',
    });
  }
  if (held === undefined) await createSecretFile(path, `${text}\n`);
  return rpcUser({ name: TARGET_USER, password, salt });
}

function newPassword(): string {
  return `${toHex(randomBytes(32))}:${toHex(randomBytes(16))}`;
}
