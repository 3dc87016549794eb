import { parseCheckpoint } from './checkpoint.ts';
import { DirectoryError } from './directory-error.ts';
import { type GatheredCosignatures, MAX_CHECKPOINT_BYTES } from './gathered-cosignatures.ts';
import { decodeNote, textOfNote } from './note.ts';

/**
 * Takes what somebody brings for the newest checkpoint.
 * @throws DirectoryError as `take` of GatheredCosignatures; `replayed`, `not-yet-valid`, `log-forked` for
 * another checkpoint; `unknown-signer` when nobody has signed it who should.
 */
export function takeCosignature(newest: GatheredCosignatures, bytes: Uint8Array | string): void {
  const text = textOfNote(decodeNote(bytes, MAX_CHECKPOINT_BYTES));
  if (text !== newest.text) throw misfit(text, newest);
  if (newest.take(bytes) === 0) {
    throw new DirectoryError('unknown-signer', 'no witness of this log has signed it');
  }
}

function misfit(text: string, newest: GatheredCosignatures): DirectoryError {
  const ahead = parseCheckpoint(text).size - parseCheckpoint(newest.text).size;
  if (ahead > 0) return new DirectoryError('not-yet-valid', 'a log that is not known yet');
  if (ahead < 0) return new DirectoryError('replayed', 'the log has grown since');
  return new DirectoryError('log-forked', 'the log of this size has another root');
}
