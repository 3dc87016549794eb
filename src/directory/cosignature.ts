import { concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { DirectoryError } from './directory-error.ts';
import {
  formatSignatureLine,
  keyIdOf,
  type NoteSigner,
  type NoteVerifier,
  parseSignatureLine,
} from './note.ts';

/** The algorithm byte of cosignature/v1 with Ed25519 (C2SP tlog-cosignature). */
const COSIGNATURE = 0x04;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/**
 * The line by which a witness says that it saw this checkpoint at this time, in Unix seconds, and
 * that the log had grown from what it saw before (C2SP tlog-cosignature).
 */
export function cosign(checkpoint: string, signer: NoteSigner, time: number): string {
  const { name, key } = signer;
  const seconds = u64(time);
  return formatSignatureLine({
    name,
    keyId: keyIdOf(name, key.publicKey, COSIGNATURE),
    signature: concatBytes(seconds, key.sign(messageOf(checkpoint, time))),
  });
}

/**
 * When the witness saw the checkpoint, in Unix seconds.
 * @throws DirectoryError `malformed`, `unknown-signer` for another's line, `bad-signature`.
 */
export function openCosignature(line: string, checkpoint: string, witness: NoteVerifier): number {
  const { name, keyId, signature } = parseSignatureLine(line);
  const { key } = witness;
  if (name !== witness.name || !equalBytes(keyId, cosignatureKeyId(witness))) {
    throw new DirectoryError('unknown-signer', 'a cosignature by somebody else');
  }
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) {
    throw new DirectoryError('malformed', 'not a cosignature');
  }
  const view = new DataView(signature.buffer, signature.byteOffset, TIME_BYTES);
  const time = Number(view.getBigUint64(0));
  const signed = Number.isSafeInteger(time)
    ? key.verify(messageOf(checkpoint, time), signature.subarray(TIME_BYTES))
    : false;
  if (!signed) throw new DirectoryError('bad-signature', `the cosignature of ${name} is wrong`);
  return time;
}

/** The key id in a witness's lines: 4 bytes. */
export function cosignatureKeyId({ name, key }: NoteVerifier): Uint8Array {
  return keyIdOf(name, key.bytes, COSIGNATURE);
}

function messageOf(checkpoint: string, time: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${time}\n${checkpoint}`);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
