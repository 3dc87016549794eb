import { equalBytes, utf8 } from '../base/bytes.ts';
import { messageOf } from '../base/errors.ts';
import { oneAtATime } from '../base/in-turn.ts';
import { type Consensus } from '../directory/consensus.ts';
import { parseDetached, signDetached } from '../directory/detached-signature.ts';
import { GatheredSignatures } from '../directory/gathered-signatures.ts';
import { digestOfText, signNote } from '../directory/note.ts';
import { type Slot } from '../directory/timeline.ts';
import { type Vote } from '../directory/vote.ts';
import { castVote, exchangeVotes, openExchange } from './exchange-votes.ts';
import { follow } from './follow.ts';
import { gatherSignatures } from './gather-signatures.ts';
import { type RoundParts } from './round-parts.ts';
import {
  signConsensus,
  type SignedText,
  type SignFailure,
  type SignOptions,
} from './sign-consensus.ts';
import { reach } from './time.ts';

export type RoundOutcome =
  { readonly published: Consensus } | { readonly failure: SignFailure | 'too-few-signatures' };

/**
 * One authority's part in one slot, from whatever moment on (spec/directory.md section 9): it catches
 * up with its peers, votes, takes and passes on the votes of others, counts and signs, and publishes
 * what a quorum signed. Resolves when the slot has ended.
 * @throws the signal's reason when aborted; Error when the clock was set back; whatever the store throws,
 * before anything is shown.
 */
export async function runRound(
  slot: Slot,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<RoundOutcome> {
  const { newest, shown, time } = parts;
  await catchUp(slot, parts, signal);
  const votes = await collectVotes(slot, parts, signal);
  const signed = await signAndPublish({ slot, votes, signal }, parts);
  await reach(slot.endsMs, time, signal);
  shown.hideSignature();
  const { consensus } = newest;
  if (consensus?.epoch === slot.epoch) return { published: consensus };
  return { failure: 'failure' in signed ? signed.failure : 'too-few-signatures' };
}

/** Before it votes, an authority wants the consensus of the slot before. One that is late hurries. */
async function catchUp(slot: Slot, parts: RoundParts, signal: AbortSignal): Promise<void> {
  const { newest, time } = parts;
  if (newest.consensus?.epoch === slot.epoch - 1) return;
  const hurryMs = (slot.votesMs - slot.opensMs) / 5;
  await follow(parts, { untilMs: Math.max(slot.votesMs, time.now() + hurryMs), signal });
}

/** Those that count when the last round is over: none of a slot that is over for this authority. */
async function collectVotes(
  slot: Slot,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<readonly Vote[]> {
  const { store, shown, time, log } = parts;
  const exchange = await openExchange(slot, parts);
  if (exchange === undefined) return [];
  shown.showVotes(exchange);
  await reach(slot.votesMs, time, signal);
  try {
    await castVote(exchange, parts, signal);
  } catch (error) {
    log.error('no vote for this slot', { epoch: slot.epoch, reason: messageOf(error) });
  }
  await exchangeVotes(exchange, parts, signal);
  await reach(slot.signsMs, time, signal);
  for (const notes of exchange.equivocations()) {
    log.warn('an authority voted twice', { epoch: slot.epoch });
    await store.keepEvidence(notes);
  }
  return exchange.counted();
}

async function signAndPublish(options: SignOptions, parts: RoundParts): Promise<SignedText> {
  const { slot, signal } = options;
  const { policy, signer, newest, time, log } = parts;
  const gathered = new GatheredSignatures(policy, slot);
  const inTurn = oneAtATime();
  const isPublished = (): boolean => newest.consensus?.epoch === slot.epoch;
  const publish = (): Promise<boolean> =>
    inTurn(async () => {
      const due = time.now() >= slot.publishesMs && !isPublished();
      const note = due ? gathered.quorum() : undefined;
      if (note !== undefined) await newest.adopt(utf8(note), time.now());
      return isPublished();
    });

  let ours: SignedText | undefined;
  const sign = async (): Promise<SignedText> => {
    const signed = await signConsensus(options, parts);
    if ('text' in signed) {
      const signature = parseDetached(signDetached(signed.text, signer));
      gathered.add(signature, signNote(signed.text, signer));
    }
    ours = signed;
    await publish();
    return signed;
  };
  const publishInTime = async (): Promise<void> => {
    await reach(slot.publishesMs, time, signal);
    await publish();
  };
  const wantsTexts = (): boolean => ours !== undefined;
  const gathering = { slot, gathered, wantsTexts, onSignature: publish, signal };
  const [signed] = await Promise.all([sign(), gatherSignatures(gathering, parts), publishInTime()]);
  if ('text' in signed && newest.consensus?.epoch === slot.epoch) {
    if (!equalBytes(newest.consensus.hash, digestOfText(signed.text))) {
      log.warn('the others signed another consensus', { epoch: slot.epoch });
    }
  }
  return signed;
}
