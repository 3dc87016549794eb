import { createHash, hash } from 'node:crypto';
import {
  concatBytes,
  fromBase64,
  fromUtf8,
  MalformedBytesError,
  toBase64,
  toHex,
  utf8,
} from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import { MAX_SIGNATURES } from './limits.ts';
import { loadPublicKey, type PublicKey } from './public-key.ts';
import { type SigningKey } from './signing-key.ts';

/** Who may sign a note: a key and its name (C2SP signed-note, spec/directory.md section 2). */
export interface NoteVerifier {
  /** Not empty, without white space and `+`. */
  readonly name: string;
  readonly key: PublicKey;
}

export interface NoteSigner {
  readonly name: string;
  readonly key: SigningKey;
}

export interface OpenedNote {
  /** What was signed, up to and with its last LF. */
  readonly text: string;
  /** Those of the verifiers given whose signature is there and right. */
  readonly signers: readonly NoteVerifier[];
}

/** Whose signature it says it is, and the bytes of it. */
export interface SignatureLine {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

interface SplitNote {
  readonly text: string;
  /** The text in UTF-8, which is what was signed. */
  readonly message: Uint8Array;
  readonly signatureLines: readonly string[];
}

/** What a signature is made with, as its byte in key ids (C2SP signed-note). */
const ED25519 = 0x01;

const KEY_ID_BYTES = 4;
const NAME = /^[^\s+\p{Cc}]{1,255}$/u;
const SIGNATURE_LINE = /^— ([^\s+\p{Cc}]{1,255}) ([A-Za-z0-9+/=]{1,8192})$/u;
const CONTROL_BUT_LF = /[^\n\P{Cc}]/u;
const LF = 0x0a;

/** The note: the text, a blank line, one signature line for each signer. */
export function signNote(text: string, ...signers: readonly NoteSigner[]): string {
  const message = utf8(text);
  return formatNote(
    text,
    signers.map(({ name, key }) => {
      return formatSignatureLine({
        name,
        keyId: keyIdOf(name, key.publicKey),
        signature: key.sign(message),
      });
    }),
  );
}

/**
 * The note as text.
 * @throws DirectoryError `too-large` above the limit, `malformed` when it is not UTF-8.
 */
export function decodeNote(note: Uint8Array | string, maxBytes: number): string {
  checkSize(note, maxBytes);
  return typeof note === 'string' ? note : decoded(() => fromUtf8(note));
}

/** @throws DirectoryError `too-large` above the limit. */
export function checkSize(note: Uint8Array | string, maxBytes: number): void {
  const bytes = typeof note === 'string' ? Buffer.byteLength(note) : note.length;
  if (bytes > maxBytes) {
    throw new DirectoryError('too-large', `a note of more than ${maxBytes} bytes`);
  }
}

/**
 * What was signed, before anyone knows by whom.
 * @throws DirectoryError `malformed`.
 */
export function textOfNote(note: Uint8Array | string): string {
  return splitNote(note).text;
}

/** @throws DirectoryError `malformed`. */
export function signatureLinesOf(note: string): readonly string[] {
  return splitNote(note).signatureLines;
}

/** SHA-256 of the text: by it a note is named, however many signatures it carries. */
export function digestOfText(text: string): Uint8Array {
  return new Uint8Array(hash('sha256', text, 'buffer'));
}

/** Puts the signature lines of notes with the same text under that text. */
export function joinNotes(notes: readonly [string, ...string[]]): string {
  const { text } = splitNote(notes[0]);
  return formatNote(
    text,
    notes.flatMap((note) => splitNote(note).signatureLines),
  );
}

/** The note without the signatures of anyone else, whether theirs are right or not. */
export function keepSignaturesOf(note: string, verifiers: readonly NoteVerifier[]): string {
  const { text, signatureLines } = splitNote(note);
  const known = new Set(verifiers.map(labelOf));
  return formatNote(
    text,
    signatureLines.filter((line) => known.has(labelOfLine(parseSignatureLine(line)))),
  );
}

/**
 * Signatures of unknown signers are passed over; a known signer whose signature is wrong or there
 * twice makes the whole note refused.
 * @throws DirectoryError `malformed`, `bad-signature`, `duplicate-signature`.
 */
export function openNote(
  note: Uint8Array | string,
  verifiers: readonly NoteVerifier[],
): OpenedNote {
  const { text, message, signatureLines } = splitNote(note);
  const known = new Map(verifiers.map((verifier) => [labelOf(verifier), verifier]));
  const signers = new Set<NoteVerifier>();
  for (const { name, keyId, signature } of signatureLines.map(parseSignatureLine)) {
    const verifier = known.get(labelOfLine({ name, keyId }));
    if (verifier === undefined) continue;
    if (signers.has(verifier)) {
      throw new DirectoryError('duplicate-signature', `${verifier.name} signed twice`);
    }
    if (!verifier.key.verify(message, signature)) {
      throw new DirectoryError('bad-signature', `the signature of ${verifier.name} is wrong`);
    }
    signers.add(verifier);
  }
  return { text, signers: [...signers] };
}

/** `name+key id+key` (C2SP signed-note, verifier keys). */
export function formatVerifierKey({ name, key }: NoteVerifier): string {
  return verifierKey(name, key.bytes);
}

/** The verifier key by which others know the signer. */
export function verifierKeyOf({ name, key }: NoteSigner): string {
  return verifierKey(name, key.publicKey);
}

function verifierKey(name: string, publicKey: Uint8Array): string {
  const typed = concatBytes(Uint8Array.of(ED25519), publicKey);
  return `${name}+${toHex(keyIdOf(name, publicKey))}+${toBase64(typed)}`;
}

/** @throws DirectoryError `malformed`, `weak-key`. */
export function parseVerifierKey(text: string): NoteVerifier {
  const [, name, id, key] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) ?? [];
  if (name === undefined || id === undefined || key === undefined || !NAME.test(name)) {
    throw new DirectoryError('malformed', 'not a verifier key');
  }
  const typed = decoded(() => fromBase64(key));
  const publicKey = typed.subarray(1);
  if (typed[0] !== ED25519) throw new DirectoryError('malformed', 'not an Ed25519 verifier key');
  if (toHex(keyIdOf(name, publicKey)) !== id) {
    throw new DirectoryError('malformed', 'the key id is not that of name and key');
  }
  return { name, key: loadPublicKey(publicKey) };
}

/** The 4 bytes that name a key in a signature line; `algorithm` is that of C2SP signed-note. */
export function keyIdOf(name: string, publicKey: Uint8Array, algorithm = ED25519): Uint8Array {
  const hash = createHash('sha256').update(name).update(Uint8Array.of(0x0a, algorithm));
  return hash.update(publicKey).digest().subarray(0, KEY_ID_BYTES);
}

function labelOf({ name, key }: NoteVerifier): string {
  return labelOfLine({ name, keyId: keyIdOf(name, key.bytes) });
}

function labelOfLine({ name, keyId }: Pick<SignatureLine, 'name' | 'keyId'>): string {
  return `${name} ${toHex(keyId)}`;
}

function formatNote(text: string, lines: readonly string[]): string {
  return `${text}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** The line without its end. */
export function formatSignatureLine({ name, keyId, signature }: SignatureLine): string {
  return `— ${name} ${toBase64(concatBytes(keyId, signature))}`;
}

/**
 * Works on bytes: the text of a consensus, decoded by itself, is ASCII and takes half the memory and
 * time that it would as part of a string with the dashes of the signatures.
 * @throws DirectoryError `malformed`.
 */
function splitNote(note: Uint8Array | string): SplitNote {
  const bytes = typeof note === 'string' ? utf8(note) : note;
  const blank = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf('\n\n');
  if (blank < 0 || bytes.at(-1) !== LF) throw new DirectoryError('malformed', 'not a signed note');
  const message = bytes.subarray(0, blank + 1);
  const text = decoded(() => fromUtf8(message));
  const signatures = decoded(() => fromUtf8(bytes.subarray(blank + 2, -1)));
  const signatureLines = signatures.split('\n', MAX_SIGNATURES + 1);
  if (signatureLines.length > MAX_SIGNATURES) {
    throw new DirectoryError('malformed', 'too many signatures');
  }
  if (CONTROL_BUT_LF.test(text)) throw new DirectoryError('malformed', 'a control character');
  return { text, message, signatureLines };
}

/** @throws DirectoryError `malformed`. */
export function parseSignatureLine(line: string): SignatureLine {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined) {
    throw new DirectoryError('malformed', 'not a signature line');
  }
  const bytes = decoded(() => fromBase64(encoded));
  if (bytes.length <= KEY_ID_BYTES) throw new DirectoryError('malformed', 'a signature is missing');
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof MalformedBytesError)) throw cause;
    throw new DirectoryError('malformed', cause.message, { cause });
  }
}
