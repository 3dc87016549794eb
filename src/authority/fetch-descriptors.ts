import { equalBytes, toBase64 } from '../base/bytes.ts';
import { parseDescriptor } from '../directory/descriptor.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';

export interface FetchOptions {
  /** Milliseconds since the Unix epoch. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** How many questions a peer is asked at once. */
const AT_ONCE = 8;
const POLLS = 10;

/**
 * Puts the descriptors with these digests on the shelf, from whoever has them. Says whether all of
 * them are there in time.
 */
export async function fetchDescriptors(
  digests: readonly Uint8Array[],
  parts: Pick<RoundParts, 'peers' | 'descriptors' | 'time' | 'log'>,
  { untilMs, signal }: FetchOptions,
): Promise<boolean> {
  const { peers, descriptors, time, log } = parts;
  const lacking = (): readonly Uint8Array[] =>
    digests.filter((digest) => descriptors.get(digest) === undefined);
  if (lacking().length === 0) return true;
  log.info('others list descriptors that are not here', { count: lacking().length });
  const everyMs = (untilMs - time.now()) / POLLS;
  const polling = { peers, time, log, untilMs, everyMs, signal };
  await pollPeers(polling, async (peer, inner) => {
    const queue = lacking().values();
    const fetchInTurn = async (): Promise<void> => {
      for (const digest of queue) {
        if (descriptors.get(digest) === undefined) await fetchOne(digest, peer, inner);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, fetchInTurn));
    return lacking().length === 0 ? 'all-done' : 'again';
  });
  return lacking().length === 0;

  async function fetchOne(
    digest: Uint8Array,
    peer: DirectorySource,
    inner: AbortSignal,
  ): Promise<void> {
    const note = await peer.fetch(DIRECTORY_KINDS.descriptor, digest, inner);
    if (note.length === 0) return;
    const descriptor = parseDescriptor(note);
    if (!equalBytes(descriptor.digest, digest)) {
      throw new DirectoryError('wrong-digest', `not the descriptor ${toBase64(digest)}`);
    }
    await descriptors.put(descriptor, note);
  }
}
