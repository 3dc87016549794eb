import { equalBytes } from '../base/bytes.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DIRECTORY_KINDS, epochDigest } from '../directory/directory-view.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { signNote } from '../directory/note.ts';
import { renderVote } from '../directory/vote.ts';
import { type ReadVote, VoteExchange } from '../directory/vote-exchange.ts';
import { parseVoteIndex, type VoteIndexEntry } from '../directory/vote-index.ts';
import { type Slot } from '../directory/timeline.ts';
import { type AuthorityStore } from './authority-store.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';
import { byDeadline } from './time.ts';

const NO_CONSENSUS = new Uint8Array(32);
/** How often peers are asked in one round. */
const POLLS_A_ROUND = 5;

/**
 * With the votes that were accepted before a crash. Undefined for a slot whose consensus is here.
 * @throws DirectoryError when the votes do not verify any more, because the policy is another.
 */
export async function openExchange(
  slot: Slot,
  { policy, signer, store, newest }: Pick<RoundParts, 'policy' | 'signer' | 'store' | 'newest'>,
): Promise<VoteExchange | undefined> {
  if ((newest.consensus?.epoch ?? 0) >= slot.epoch) return undefined;
  const kept = await store.keptVotes();
  const exchange = new VoteExchange({ policy, slot, signer });
  const notes = kept?.epoch === slot.epoch ? kept.notes : [];
  for (const note of notes) exchange.hold(exchange.read(note));
  return exchange;
}

/**
 * Does nothing when our vote is held, or when the time is over in which anyone would accept it. Nor when
 * the clock was ahead: with votes of a later slot on disk it is not known what was said in this.
 * @throws Error when the ballot takes longer than that; whatever it or the store throws.
 */
export async function castVote(
  exchange: VoteExchange,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<void> {
  const { slot } = exchange;
  const { policy, signer, store, newest, castBallot, time, log } = parts;
  const [roundEndMs = 0] = slot.roundEndsMs;
  const deadlineMs = (slot.votesMs + roundEndMs) / 2;
  if (exchange.hasOwnVote() || time.now() > deadlineMs) return;
  const keptEpoch = (await store.keptVotes())?.epoch ?? slot.epoch;
  if (keptEpoch > slot.epoch) {
    const until = startOf(keptEpoch + 1, slot).toISOString();
    log.error('the clock was ahead: no vote of ours before the time that it showed', { until });
    return;
  }
  const previous = newest.consensus;
  const ballot = await byDeadline({ deadlineMs, time, signal }, () => castBallot(slot, previous));
  const { epoch, validAfter, freshUntil, validUntil } = slot;
  const text = renderVote({
    author: exchange.ourselves,
    network: policy.network,
    prev: previous?.hash ?? NO_CONSENSUS,
    ...{ epoch, validAfter, freshUntil, validUntil },
    ...ballot,
  });
  await keepVote(exchange.read(signNote(text, signer)), time.now(), { exchange, ...parts });
}

/** Asks the peers for votes until the last round is over; when it resolves no more are accepted. */
export async function exchangeVotes(
  exchange: VoteExchange,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<void> {
  const { slot } = exchange;
  const { peers, time, log } = parts;
  const inTurn = oneAtATime();
  const roundMs = (slot.signsMs - slot.votesMs) / slot.roundEndsMs.length;
  const everyMs = roundMs / POLLS_A_ROUND;
  const polling = { peers, time, log, untilMs: slot.signsMs, everyMs, signal };
  await pollPeers(polling, async (peer, inner) => {
    for (const entry of await indexOf(peer, slot, inner)) {
      if (!exchange.wants(entry, time.now())) continue;
      const note = await peer.fetch(DIRECTORY_KINDS.vote, entry.digest, inner);
      const arrivedMs = time.now();
      if (note.length === 0) continue;
      const read = readAs(entry, note, exchange);
      if (read instanceof DirectoryError) {
        log.warn('an authority shows what it cannot hold', { peer: peer.name, reason: read.code });
        return 'peer-done';
      }
      await inTurn(async () => {
        if (!exchange.wants(entry, arrivedMs)) return;
        await keepVote(read, arrivedMs, { exchange, ...parts });
      });
    }
    return 'again';
  });
  await inTurn(() => Promise.resolve());
}

function startOf(epoch: number, { validAfter, freshUntil }: Slot): Date {
  return new Date(epoch * (freshUntil - validAfter) * 1000);
}

/** On disk before it is shown. */
async function keepVote(
  read: ReadVote,
  atMs: number,
  { exchange, store }: { exchange: VoteExchange; store: AuthorityStore },
): Promise<void> {
  const held = exchange.accept(read, atMs);
  await store.keepVote(exchange.slot.epoch, held.note);
  exchange.hold(held);
}

/** What the peer gave, or why it is not what its index said: who tells the truth cannot show that. */
function readAs(
  { digest, signatures, author }: VoteIndexEntry,
  note: Uint8Array,
  exchange: VoteExchange,
): ReadVote | DirectoryError {
  try {
    const read = exchange.read(note);
    if (!equalBytes(read.vote.digest, digest) || read.vote.author !== author) {
      return new DirectoryError('wrong-digest', 'not the vote that was asked for');
    }
    if (read.signatures < signatures) {
      return new DirectoryError('too-few-signatures', 'fewer signatures than the index says');
    }
    return read;
  } catch (error) {
    if (error instanceof DirectoryError) return error;
    throw error;
  }
}

async function indexOf(
  peer: DirectorySource,
  { epoch }: Slot,
  signal: AbortSignal,
): Promise<readonly VoteIndexEntry[]> {
  const index = await peer.fetch(DIRECTORY_KINDS.voteIndex, epochDigest(epoch), signal);
  return index.length === 0 ? [] : parseVoteIndex(index);
}
