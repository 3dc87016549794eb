import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';

const SEED_BYTES = 32;
const FROM_A_BACKUP =
  'Restore it from a backup. Another one makes another node, or another onion address.';

/** The Ed25519 seeds of one node, 32 bytes each (spec/relay.md section 1). */
export interface NodeKeys {
  readonly identity: Uint8Array;
  /** What the reply keys follow from. */
  readonly reply: Uint8Array;
  /** The relay onion's. Tor holds the expanded key; the node signs its identity with this one. */
  readonly onion: Uint8Array;
}

/**
 * Reads the keys of a node, and makes those that are missing. Files are 0600 and never replaced.
 * @throws UserError when one is damaged.
 */
export async function openNodeKeys(dataDirectory: string): Promise<NodeKeys> {
  const directory = join(dataDirectory, 'keys');
  await makePrivateDirectory(directory);
  return {
    identity: await openSeed(join(directory, 'identity.seed')),
    reply: await openSeed(join(directory, 'reply.seed')),
    onion: await openSeed(join(directory, 'relay-onion.seed')),
  };
}

/**
 * Reads the keys of a node that were made elsewhere.
 * @throws UserError when one is missing or damaged.
 */
export async function readNodeKeys(dataDirectory: string): Promise<NodeKeys> {
  const seed = (name: string): Promise<Uint8Array> =>
    readSeed(join(dataDirectory, 'keys', `${name}.seed`));
  return {
    identity: await seed('identity'),
    reply: await seed('reply'),
    onion: await seed('relay-onion'),
  };
}

/**
 * The seed of a node's identity key, 32 bytes.
 * @throws UserError when it is missing or damaged.
 */
export async function readIdentity(dataDirectory: string): Promise<Uint8Array> {
  return readSeed(join(dataDirectory, 'keys', 'identity.seed'));
}

/**
 * Reads a seed of 32 bytes.
 * @throws UserError when it is missing or damaged.
 */
export async function readSeed(path: string): Promise<Uint8Array> {
  const seed = await seedIfPresent(path);
  if (seed === undefined) throw new UserError(`${path} is missing`, { hint: FROM_A_BACKUP });
  return seed;
}

/**
 * Reads a seed of 32 bytes, and makes it when there is none: 0600, and never replaced.
 * @throws UserError when it is damaged.
 */
export async function openSeed(path: string): Promise<Uint8Array> {
  const held = await seedIfPresent(path);
  if (held !== undefined) return held;
  const seed = randomBytes(SEED_BYTES);
  await createSecretFile(path, seed);
  return seed;
}

async function seedIfPresent(path: string): Promise<Uint8Array | undefined> {
  const held = await readIfPresent(path);
  if (held === undefined || held.length === SEED_BYTES) return held;
  throw new UserError(`${path} is damaged: it has not ${SEED_BYTES} bytes`, {
    hint: FROM_A_BACKUP,
  });
}
