import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { type SigningKey, signingKeyFromSeed } from '../directory/signing-key.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';

const SEED_BYTES = 32;
const FILE = 'key';

/**
 * Makes the key of an authority, a seed of 32 bytes in a file of mode 0600.
 * @throws UserError when there is one: it is never replaced.
 */
export async function createAuthorityKey(dataDirectory: string): Promise<SigningKey> {
  const seed = new Uint8Array(randomBytes(SEED_BYTES));
  await makePrivateDirectory(dataDirectory);
  const path = join(dataDirectory, FILE);
  try {
    await createSecretFile(path, seed);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new UserError(`there is a key already: ${path}`, {
      hint: 'An authority has one key for as long as it is in a policy. Name another directory.',
      cause,
    });
  }
  return signingKeyFromSeed(seed);
}

/** @throws UserError when there is none, or it is not one. */
export async function openAuthorityKey(dataDirectory: string): Promise<SigningKey> {
  const path = join(dataDirectory, FILE);
  const seed = await readIfPresent(path);
  if (seed === undefined) {
    throw new UserError(`there is no key of an authority: ${path}`, {
      hint: 'Make it with: sotto authority init',
    });
  }
  if (seed.length !== SEED_BYTES) throw new UserError(`${path} is not a key of 32 bytes`);
  return signingKeyFromSeed(new Uint8Array(seed));
}
