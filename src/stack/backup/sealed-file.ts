import { Decrypter, Encrypter } from 'age-encryption';
import { fromUtf8 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';

export interface SealOptions {
  readonly passphrase: string;
  /** Base-2 logarithm of scrypt's N. */
  readonly workFactor?: number;
}

/** What age itself takes: about two seconds on today's machines, for us and for each guess. */
const WORK_FACTOR = 18;

const FIRST_LINE = 'age-encryption.org/v1\n';

/** Encrypts with a passphrase, as the file format age has it (age-encryption.org/v1, scrypt). */
export async function seal(plaintext: Uint8Array, options: SealOptions): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(options.passphrase);
  encrypter.setScryptWorkFactor(options.workFactor ?? WORK_FACTOR);
  return encrypter.encrypt(plaintext);
}

/** @throws UserError when the passphrase is another one, or the file is damaged. */
export async function unseal(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  if (!startsLikeAge(sealed)) {
    throw new UserError('it is not a backup of Sotto', {
      hint: 'A backup is an age file: its first line is "age-encryption.org/v1".',
    });
  }
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    // Which of the two it is cannot be told: a wrong passphrase makes a wrong key, and so does damage.
    throw new UserError('the passphrase is wrong, or the backup is damaged', { cause });
  }
}

function startsLikeAge(bytes: Uint8Array): boolean {
  try {
    return fromUtf8(bytes.subarray(0, FIRST_LINE.length)) === FIRST_LINE;
  } catch {
    return false;
  }
}
