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

/** The frames that answer a DIRECTORY_GET. The note is kept, not copied, until the last has left. */
export function directoryFrames(
  { directory }: PublicData,
  { id, payload }: Frame,
): Iterator<Uint8Array> {
  const { kind, digest } = decodeDirectoryGet(payload);
  return parts(id, directory.noteOf(kind, digest) ?? new Uint8Array(0));
}

/** The one frame that answers a HEADERS_GET. The headers are asked for when it is its turn. */
export function* headersFrames(
  { headers }: PublicData,
  { id, payload }: Frame,
): Iterator<Uint8Array> {
  const { start, count } = decodeHeadersGet(payload);
  yield encodeFrame({ type: 'HEADERS', id, payload: headers(start, count) });
}

/** Counts what leaves. @throws LinkError `flood` when more is asked for than the bucket holds. */
export function* metered(
  frames: Iterator<Uint8Array>,
  bytes: TokenBucket,
): Generator<Uint8Array, undefined> {
  for (let next = frames.next(); next.done !== true; next = frames.next()) {
    if (!bytes.take(next.value.length)) throw new LinkError('flood', 'its share is used up');
    yield next.value;
  }
}

function* parts(id: number, bytes: Uint8Array): Generator<Uint8Array> {
  const of = Math.ceil(bytes.length / PART_BYTES);
  for (let part = 0; part < Math.max(of, 1); part++) {
    const data = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    yield encodeFrame({ type: 'DIRECTORY_DATA', id, payload: encodePart({ part, of, data }) });
  }
}
