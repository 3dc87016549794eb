import { equalBytes } from '../base/bytes.ts';
import { buildConsensus } from '../directory/build-consensus.ts';
import { type Consensus } from '../directory/consensus.ts';
import { type CountFailure, countVotes, type Tally } from '../directory/count-votes.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { type VotedNode, type Vote } from '../directory/vote.ts';
import { fetchDescriptors, type FetchOptions } from './fetch-descriptors.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';

/** Why an authority has no text to sign. */
export type TextFailure =
  | CountFailure
  /** The votes follow a consensus that nobody gives us, or an older one than we have. */
  | 'unknown-past'
  /** Nobody gives us one that more than half of the votes list. */
  | 'missing-descriptors';

export type AgreedText = { readonly text: string } | { readonly failure: TextFailure };

const POLLS = 10;

/** The text of the consensus that follows from the votes, once everything it is made of is here. */
export async function agreeOnText(
  votes: readonly Vote[],
  parts: RoundParts,
  options: FetchOptions,
): Promise<AgreedText> {
  const { policy, descriptors } = parts;
  const tally = countVotes(votes, policy.authorities.length);
  if (typeof tally === 'string') return { failure: tally };
  const past = await pastOf(tally, parts, options);
  if (past === 'unknown-past') return { failure: past };
  const digests = tally.nodes.map(({ descriptorDigest }) => descriptorDigest);
  if (!(await fetchDescriptors(digests, parts, options))) return { failure: 'missing-descriptors' };
  const descriptorOf = ({ nodeId, descriptorDigest }: VotedNode) => {
    const descriptor = descriptors.get(descriptorDigest);
    if (descriptor === undefined) throw new Error(`the descriptor of ${nodeId} is lost`);
    return descriptor;
  };
  return { text: buildConsensus({ tally, descriptorOf, previous: past.previous }) };
}

/**
 * The consensus that the votes follow. It must be the newest that we know of: to sign one that follows
 * an older would strand the clients that have the newer.
 */
async function pastOf(
  { prev }: Tally,
  { peers, newest, time, log }: RoundParts,
  { untilMs, signal }: FetchOptions,
): Promise<{ readonly previous: Consensus | undefined } | 'unknown-past'> {
  if (newest.consensus === undefined && prev.every((byte) => byte === 0)) {
    return { previous: undefined };
  }
  const isHere = (): boolean =>
    newest.consensus !== undefined && equalBytes(newest.consensus.hash, prev);
  const everyMs = (untilMs - time.now()) / POLLS;
  if (!isHere()) {
    await pollPeers({ peers, time, log, untilMs, everyMs, signal }, async (peer, inner) => {
      const note = await peer.fetch(DIRECTORY_KINDS.consensus, prev, inner);
      if (note.length > 0) await newest.adopt(note, time.now());
      return isHere() ? 'all-done' : 'again';
    });
  }
  return isHere() ? { previous: newest.consensus } : 'unknown-past';
}
