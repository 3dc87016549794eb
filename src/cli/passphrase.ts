import { Option } from 'commander';
import { fromUtf8, MalformedBytesError } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { isCode, readAtMost } from '../io/file-tree.ts';
import { askHidden, hasTerminal } from './ask.ts';

const MAX_FILE_BYTES = 4096;
/** Whoever finds the backup can guess for as long as it takes. */
const MIN_LENGTH = 10;

/** `--passphrase-file`. A passphrase is never an argument and never in the environment: others see those. */
export const passphraseFileOption = new Option(
  '--passphrase-file <file>',
  'read the passphrase from this file, one line, rather than ask for it',
);

export interface PassphraseSource {
  readonly file: string | undefined;
  readonly signal: AbortSignal;
}

/** Asks twice, since nobody can tell later what was mistyped. @throws UserError */
export async function newPassphrase({ file, signal }: PassphraseSource): Promise<string> {
  if (file !== undefined) return requireLength(await readPassphraseFile(file));
  requireTerminal();
  const passphrase = requireLength(
    await askHidden({ message: 'Passphrase for the backup', signal }),
  );
  const again = await askHidden({ message: 'The same once more', signal });
  if (again !== passphrase) throw new UserError('the two passphrases differ');
  return passphrase;
}

/** @throws UserError */
export async function knownPassphrase({ file, signal }: PassphraseSource): Promise<string> {
  if (file !== undefined) return readPassphraseFile(file);
  requireTerminal();
  return askHidden({ message: 'Passphrase of the backup', signal });
}

function requireTerminal(): void {
  if (hasTerminal()) return;
  throw new UserError('there is no terminal to ask for the passphrase on', {
    hint: 'Put it into a file that only you can read, and give --passphrase-file.',
  });
}

function requireLength(passphrase: string): string {
  if (passphrase.length >= MIN_LENGTH) return passphrase;
  throw new UserError(`the passphrase is short: it needs ${MIN_LENGTH} characters`, {
    hint: 'Five words that have nothing to do with each other are a good one.',
  });
}

async function readPassphraseFile(path: string): Promise<string> {
  const text = await readText(path);
  const [line = '', ...more] = text.replace(/\r?\n$/, '').split('\n');
  if (more.length > 0) throw new UserError(`${path} has more than one line`);
  if (line === '') throw new UserError(`${path} is empty`);
  return line;
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readAtMost(path, MAX_FILE_BYTES);
    if (bytes === undefined) throw new UserError(`${path} is too large for a passphrase`);
    return fromUtf8(bytes);
  } catch (error) {
    if (isCode(error, 'ENOENT')) throw new UserError(`there is no file ${path}`);
    if (error instanceof MalformedBytesError) throw new UserError(`${path} is not text in UTF-8`);
    throw error;
  }
}
