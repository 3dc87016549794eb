import { fromHex, toHex } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { HASH } from './fields.ts';
import { decodeNote, digestOfText, type NoteSigner, signNote } from './note.ts';

/** A signature of a consensus without its text, which the authorities have already. */
export interface DetachedSignature {
  /** SHA-256 of the text. */
  readonly hash: Uint8Array;
  /** A line of a signed note. */
  readonly line: string;
}

const MAX_DETACHED_BYTES = 2048;
const DETACHED = new RegExp(`^sotto-signature/1\nconsensus (${HASH})\n(— [^\n]+)\n$`);

/** spec/directory.md section 10. */
export function signDetached(text: string, signer: NoteSigner): string {
  const line = signNote(text, signer).slice(text.length + 1);
  return `sotto-signature/1\nconsensus ${toHex(digestOfText(text))}\n${line}`;
}

/** @throws DirectoryError `too-large`, `malformed`. */
export function parseDetached(bytes: Uint8Array | string): DetachedSignature {
  const [, hash, line] = DETACHED.exec(decodeNote(bytes, MAX_DETACHED_BYTES)) ?? [];
  if (hash === undefined || line === undefined) {
    throw new DirectoryError('malformed', 'not a detached signature');
  }
  return { hash: fromHex(hash), line };
}

/** The signed note; nothing of it has been verified. */
export function attachSignature(text: string, { line }: DetachedSignature): string {
  return `${text}\n${line}\n`;
}
