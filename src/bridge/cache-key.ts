import { randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { join } from 'node:path';
import { aeadOpen, aeadSeal, CHACHA20_POLY1305, NONCE_BYTES, TAG_BYTES } from '../base/aead.ts';
import { MalformedBytesError } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/cbor.ts';
import { arrayOf, bytesOf, integerOf } from '../base/cbor-fields.ts';
import { UserError } from '../base/errors.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';

const KEY_BYTES = CHACHA20_POLY1305.keyBytes;
const SALT_BYTES = 16;
const OPEN_FILE = 'histories.key';
const SEALED_FILE = 'histories.key.sealed';

export interface PassphraseOptions {
  readonly passphrase: string;
  /** Base-2 logarithm of scrypt's N for a new key; 17 unless given. */
  readonly logN?: number;
}

/** What scrypt costs (RFC 7914): N is 2^logN, and it takes 128 · N · r bytes of memory. */
interface Cost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** With r = 8, 128 MiB: what OWASP's password storage cheat sheet names first. */
const DEFAULT_LOG_N = 17;
/** A file may ask for no more than 1 GiB. */
const MAX_COST: Cost = { logN: 20, r: 8, p: 4 };

/**
 * The key of a wallet's histories, 32 bytes, from a file that only its owner can read; made when
 * there is none.
 * @throws UserError when the key was sealed with a passphrase, or its file is damaged.
 */
export async function openCacheKey(directory: string): Promise<Uint8Array> {
  await makePrivateDirectory(directory);
  if ((await readIfPresent(join(directory, SEALED_FILE))) !== undefined) {
    throw new UserError('the histories kept here are sealed with a passphrase', {
      hint: 'Give the passphrase, or use another state directory.',
    });
  }
  const path = join(directory, OPEN_FILE);
  const held = await readIfPresent(path);
  if (held === undefined) return await createKey(path, (key) => Promise.resolve(key));
  if (held.length !== KEY_BYTES) throw damaged(path);
  return held;
}

/**
 * The key of a wallet's histories, 32 bytes, from a file sealed with a passphrase; made when there
 * is none.
 * @throws UserError when the passphrase is another one, when the key is kept without one, or when
 * its file is damaged.
 */
export async function unsealCacheKey(
  directory: string,
  options: PassphraseOptions,
): Promise<Uint8Array> {
  await makePrivateDirectory(directory);
  if ((await readIfPresent(join(directory, OPEN_FILE))) !== undefined) {
    throw new UserError('the histories kept here are not sealed with a passphrase', {
      hint: 'Start without the passphrase, or use another state directory.',
    });
  }
  const path = join(directory, SEALED_FILE);
  const held = await readIfPresent(path);
  if (held === undefined) return await createKey(path, (key) => seal(key, options));
  const key = await unseal(held, options.passphrase, path);
  if (key !== undefined) return key;
  // Which of the two it is cannot be told: a wrong passphrase makes a wrong key, and so does damage.
  throw new UserError(`the passphrase is wrong, or ${path} is damaged`);
}

async function createKey(
  path: string,
  contentOf: (key: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  await createSecretFile(path, await contentOf(key));
  return key;
}

/** CBOR: `[logN, r, p, salt 16, nonce 12, sealed key 48]`. */
async function seal(
  key: Uint8Array,
  { passphrase, logN = DEFAULT_LOG_N }: PassphraseOptions,
): Promise<Uint8Array> {
  const cost = { logN, r: 8, p: 1 };
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const wrapping = await stretch(passphrase, salt, cost);
  const sealed = aeadSeal({ aead: CHACHA20_POLY1305, key: wrapping, nonce, text: key });
  return encodeCbor([cost.logN, cost.r, cost.p, salt, nonce, sealed]);
}

/** Undefined when the passphrase does not open it. */
async function unseal(
  file: Uint8Array,
  passphrase: string,
  path: string,
): Promise<Uint8Array | undefined> {
  const { cost, salt, nonce, sealed } = readSealed(file, path);
  const wrapping = await stretch(passphrase, salt, cost);
  return aeadOpen({ aead: CHACHA20_POLY1305, key: wrapping, nonce, text: sealed });
}

interface SealedKey {
  readonly cost: Cost;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

function readSealed(file: Uint8Array, path: string): SealedKey {
  try {
    const [logN, r, p, salt, nonce, sealed] = arrayOf(decodeCbor(file), { min: 6, max: 6 });
    return {
      cost: {
        logN: integerOf(logN, { min: 1, max: MAX_COST.logN }),
        r: integerOf(r, { min: 1, max: MAX_COST.r }),
        p: integerOf(p, { min: 1, max: MAX_COST.p }),
      },
      salt: bytesOf(salt, SALT_BYTES),
      nonce: bytesOf(nonce, NONCE_BYTES),
      sealed: bytesOf(sealed, KEY_BYTES + TAG_BYTES),
    };
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw damaged(path, cause);
  }
}

function stretch(passphrase: string, salt: Uint8Array, { logN, r, p }: Cost): Promise<Uint8Array> {
  const N = 2 ** logN;
  // Node refuses what comes too near its limit.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function damaged(path: string, cause?: unknown): UserError {
  return new UserError(`${path} is damaged`, {
    cause,
    hint: 'Restore it from a backup; or delete it and the histories beside it: every address is then asked for once more.',
  });
}
