/** What every backup has, relative to the home: without them it is another server. */
export const REQUIRED = {
  marker: '.sotto-server',
  config: 'sotto.yaml',
  walletSeed: 'secrets/wallet.seed',
  p2pSeed: 'secrets/p2p.seed',
  relaySeed: 'data/node/keys/relay-onion.seed',
  identitySeed: 'data/node/keys/identity.seed',
  replySeed: 'data/node/keys/reply.seed',
} as const;

/** Directories whose files are all of a kind: passwords, the wallet onion's devices, our own key. */
export const DIRECTORIES = [
  'secrets',
  'data/tor/onions/wallet/authorized_clients',
  'data/tor/client-keys',
] as const;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What an interrupted write or rotation leaves beside the file it was for. */
const UNFINISHED = /\.(tmp|next|former)$/;

/**
 * Whether a backup may hold a file at this path. The list is closed: no archive can write anywhere
 * else, whatever its names.
 */
export function isBackupPath(path: string): boolean {
  if (Object.values<string>(REQUIRED).includes(path)) return true;
  return DIRECTORIES.some(
    (directory) => path.startsWith(`${directory}/`) && isKept(path.slice(directory.length + 1)),
  );
}

/** Whether a file of one of the directories belongs into a backup. */
export function isKept(name: string): boolean {
  return NAME.test(name) && !UNFINISHED.test(name);
}
