import type { DirectoryView } from '../directory/directory-view.ts';
import { decodeDirectoryGet, decodeHeadersGet, encodePart } from './frame-payload.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { PART_BYTES } from './limits.ts';
import { LinkError } from './link-error.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface PublicData {
  readonly directory: DirectoryView;
  /** Up to `count` headers of 80 bytes from height `start` on; fewer at the tip, none beyond. */
  readonly headers: (start: number, count: number) => Uint8Array;
}

/** Of a share, for each question: to find that there is no answer takes time as well. */
const QUESTION_BYTES = 4096;

/**
 * The frames that answer a DIRECTORY_GET. When it is its turn, the note is asked for; it is kept, not
 * copied, until the last frame has left.
 * @throws LinkError `flood` when the share does not hold the question, or the whole answer.
 */
export function* directoryFrames(
  { directory }: Pick<PublicData, 'directory'>,
  { id, payload }: Frame,
  share: TokenBucket,
): Generator<Uint8Array, undefined> {
  const { kind, digest } = decodeDirectoryGet(payload);
  const note = paidFrom(share, () => directory.noteOf(kind, digest) ?? new Uint8Array(0));
  const of = Math.ceil(note.length / PART_BYTES);
  for (let part = 0; part < Math.max(of, 1); part++) {
    const data = note.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    yield encodeFrame({ type: 'DIRECTORY_DATA', id, payload: encodePart({ part, of, data }) });
  }
}

/** The one frame that answers a HEADERS_GET; as `directoryFrames`. */
export function* headersFrames(
  { headers }: Pick<PublicData, 'headers'>,
  { id, payload }: Frame,
  share: TokenBucket,
): Generator<Uint8Array, undefined> {
  const { start, count } = decodeHeadersGet(payload);
  const answer = paidFrom(share, () => headers(start, count));
  yield encodeFrame({ type: 'HEADERS', id, payload: answer });
}

/** The question is paid before its answer is made, and all of that before any of it leaves. */
function paidFrom(share: TokenBucket, answer: () => Uint8Array): Uint8Array {
  pay(share, QUESTION_BYTES);
  const made = answer();
  pay(share, made.length);
  return made;
}

function pay(share: TokenBucket, bytes: number): void {
  if (!share.take(bytes)) throw new LinkError('flood', 'its share is used up');
}
