import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fromUtf8, toHex } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';
import { kindOf } from '../io/file-tree.ts';
import { openNodeKeys, openSeed, readSeed } from '../node/node-keys.ts';
import { onionKeyFromSeed } from '../tor/onion-key.ts';
import { REQUIRED } from './backup/backup-paths.ts';
import type { Home, OnionName } from './home.ts';
import { MARKER_FILE, readMarker } from './marker.ts';
import type { RpcUser } from './plan-context.ts';
import { rpcUser } from './rpc-user.ts';

/** What one installation alone knows. */
export interface Secrets {
  /** 32 bytes each: seeds of the onions' long-term keys. */
  readonly onionSeeds: Readonly<Record<OnionName, Uint8Array>>;
  readonly targetRpc: RpcUser;
}

const TARGET_USER = 'target';

/** What the addresses of the onions and the node's place in the network follow from. */
const SEEDS = [
  REQUIRED.walletSeed,
  REQUIRED.p2pSeed,
  REQUIRED.relaySeed,
  REQUIRED.identitySeed,
  REQUIRED.replySeed,
] as const;

/**
 * Makes the secrets of a new home, and ends what was interrupted in that. Files are 0600 and never
 * replaced. Not for a home with a marker: what is missing there has been lost.
 * @throws UserError when one is damaged.
 */
export async function makeSecrets(home: Home): Promise<Secrets> {
  await makePrivateDirectory(home.secrets);
  await openSeed(join(home.directory, REQUIRED.walletSeed));
  await openSeed(join(home.directory, REQUIRED.p2pSeed));
  // The node signs its descriptor with the relay onion's key, and so keeps it itself.
  await makePrivateDirectory(home.data('node'));
  await openNodeKeys(home.data('node'));
  return openSecrets(home);
}

/**
 * Reads the secrets of a home. A password that is missing is made: nobody else knows it.
 * @throws UserError when a key is missing, or a secret is damaged.
 */
export async function openSecrets(home: Home): Promise<Secrets> {
  await requireSeeds(home);
  const seed = (path: string): Promise<Uint8Array> => readSeed(join(home.directory, path));
  // The node reads them itself: here they are only not to be damaged.
  for (const path of [REQUIRED.identitySeed, REQUIRED.replySeed]) await seed(path);
  return {
    onionSeeds: {
      wallet: await seed(REQUIRED.walletSeed),
      relay: await seed(REQUIRED.relaySeed),
      p2p: await seed(REQUIRED.p2pSeed),
    },
    targetRpc: await openTargetRpc(join(home.secrets, 'rpc-target')),
  };
}

/** Which seeds are not in a home, as paths below it. */
export async function missingSeeds({ directory }: Pick<Home, 'directory'>): Promise<string[]> {
  const missing: string[] = [];
  for (const path of SEEDS) {
    if ((await kindOf(join(directory, path))) === undefined) missing.push(path);
  }
  return missing;
}

async function requireSeeds(home: Home): Promise<void> {
  const missing = await missingSeeds(home);
  if (missing.length === 0) return;
  const { directory } = home;
  if ((await readMarker(directory)) === undefined) {
    throw new UserError(`the server in ${directory} has no keys yet`, {
      hint: 'Make them with: sotto up',
    });
  }
  throw new UserError(`the server in ${directory} has lost keys: ${missing.join(', ')}`, {
    hint:
      'Are they on a disk that is not mounted? A backup brings them back: sotto restore --replace FILE\n' +
      'Without one, for new keys and a new address that every wallet must be told: remove\n' +
      `${join(directory, MARKER_FILE)}, then: sotto up`,
  });
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
      hint: 'Remove it, then: sotto up',
    });
  }
  if (held === undefined) await createSecretFile(path, `${text}\n`);
  return rpcUser({ name: TARGET_USER, password, salt });
}

function newPassword(): string {
  return `${toHex(randomBytes(32))}:${toHex(randomBytes(16))}`;
}
