import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { type FetchOptions } from './fetch-descriptors.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';

const NO_DIGEST = new Uint8Array(32);
const POLLS = 5;

/** Takes the newest consensus that a peer has; until each has answered or the time is over. */
export async function follow(
  { peers, newest, time, log }: Pick<RoundParts, 'peers' | 'newest' | 'time' | 'log'>,
  { untilMs, signal }: FetchOptions,
): Promise<void> {
  const everyMs = (untilMs - time.now()) / POLLS;
  await pollPeers({ peers, time, log, untilMs, everyMs, signal }, async (peer, inner) => {
    const note = await peer.fetch(DIRECTORY_KINDS.latestConsensus, NO_DIGEST, inner);
    if (note.length > 0) await newest.adopt(note, time.now());
    return 'peer-done';
  });
}
