import { equalBytes } from '../base/bytes.ts';
import { buildConsensus } from '../directory/build-consensus.ts';
import { type Consensus, renderConsensus } from '../directory/consensus.ts';
import { commonPast, type CountFailure, countVotes, type Past } from '../directory/count-votes.ts';
import { DIRECTORY_KINDS } from '../directory/directory-view.ts';
import { keptShare } from '../directory/kept-share.ts';
import { verifierKeyOf } from '../directory/note.ts';
import { type VotedNode, type Vote } from '../directory/vote.ts';
import { fetchDescriptors, type FetchOptions } from './fetch-descriptors.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';

/** Why an authority has no text to sign. */
export type TextFailure =
  | CountFailure
  /** The votes follow a consensus that nobody gives us, or an older one than we have. */
  | 'unknown-past'
  /** Nobody gives us one that more than half of the authorities list. */
  | 'missing-descriptors'
  /** Votes are missing, and by the others clients would not choose the nodes that ours lists. */
  | 'not-our-list';

export type AgreedText = { readonly text: string } | { readonly failure: TextFailure };

const POLLS = 10;
const ROLES = ['Relay', 'Gateway'] as const;
/** Of the work that our vote gives to nodes, how much a text must leave where it is. */
const LEAST_KEPT = 1 / 2;

/** The text of the consensus that follows from the votes, once everything it is made of is here. */
export async function agreeOnText(
  votes: readonly Vote[],
  parts: RoundParts,
  options: FetchOptions,
): Promise<AgreedText> {
  const { policy, descriptors } = parts;
  const { length: authorities } = policy.authorities;
  const past = commonPast(votes, authorities);
  if (typeof past === 'string') return { failure: past };
  const followed = await previousOf(past, parts, options);
  if (followed === 'unknown-past') return { failure: followed };
  const { previous } = followed;
  const tally = countVotes(votes, authorities, previous?.params);
  if (typeof tally === 'string') return { failure: tally };
  const digests = tally.nodes.map(({ descriptorDigest }) => descriptorDigest);
  if (!(await fetchDescriptors(digests, parts, options))) return { failure: 'missing-descriptors' };
  const descriptorOf = ({ nodeId, descriptorDigest }: VotedNode) => {
    const descriptor = descriptors.get(descriptorDigest);
    if (descriptor === undefined) throw new Error(`the descriptor of ${nodeId} is lost`);
    return descriptor;
  };
  const content = buildConsensus({ tally, descriptorOf, previous });
  if (votes.length < authorities) {
    const voted = ownNodes(votes, parts);
    const own = buildConsensus({ tally: { ...tally, nodes: voted }, descriptorOf, previous });
    if (ROLES.some((role) => keptShare({ of: own.nodes, by: content.nodes }, role) < LEAST_KEPT)) {
      return { failure: 'not-our-list' };
    }
  }
  return { text: renderConsensus(content) };
}

/** What this authority voted for, as far as it has it still; nothing when it did not vote. */
function ownNodes(
  votes: readonly Vote[],
  { signer, descriptors }: Pick<RoundParts, 'signer' | 'descriptors'>,
): readonly VotedNode[] {
  const ourselves = verifierKeyOf(signer);
  const own = votes.find(({ author }) => author === ourselves)?.nodes ?? [];
  return own.filter(({ descriptorDigest }) => descriptors.get(descriptorDigest) !== undefined);
}

/**
 * The consensus that the votes follow. It must be the newest that we know of: to sign one that follows
 * an older would strand the clients that have the newer.
 */
async function previousOf(
  { prev }: Past,
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
