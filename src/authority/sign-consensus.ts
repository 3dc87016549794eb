import { type Consensus, parseConsensus } from '../directory/consensus.ts';
import { type Slot } from '../directory/timeline.ts';
import { type Vote } from '../directory/vote.ts';
import { type AgreedText, agreeOnText, type TextFailure } from './agree-on-text.ts';
import { type RoundParts } from './round-parts.ts';

export type SignFailure =
  | TextFailure
  /** The clock went back: a later epoch is signed already. */
  | 'clock-went-back'
  /** The slot ended before everything was here. */
  | 'out-of-time';

export type SignedText = AgreedText | { readonly failure: SignFailure };

export interface SignOptions {
  readonly slot: Slot;
  /** Those that count. */
  readonly votes: readonly Vote[];
  readonly signal: AbortSignal;
}

/**
 * Signs the consensus that follows from the votes and shows the signature. The text is on record
 * before, so that whatever happens then, no other is ever signed for the epoch: after a crash the one
 * on record is signed again, whatever the votes.
 */
export async function signConsensus(
  { slot, votes, signal }: SignOptions,
  parts: RoundParts,
): Promise<SignedText> {
  const { shown, signer, time } = parts;
  const signed = await lastSigned(parts);
  if (signed !== undefined && signed.epoch > slot.epoch) return { failure: 'clock-went-back' };
  const text =
    signed?.epoch === slot.epoch
      ? signed.text
      : await agreeAndRecord({ slot, votes, signal }, parts);
  if (typeof text !== 'string') return text;
  if (time.now() >= slot.endsMs) return { failure: 'out-of-time' };
  shown.showSignature(slot.epoch, text, signer);
  return { text };
}

async function agreeAndRecord(
  { slot, votes, signal }: SignOptions,
  parts: RoundParts,
): Promise<string | { readonly failure: TextFailure }> {
  const agreed = await agreeOnText(votes, parts, { untilMs: slot.publishesMs, signal });
  if ('failure' in agreed) return agreed;
  await parts.store.keepSigned(agreed.text);
  return agreed.text;
}

async function lastSigned({ store }: Pick<RoundParts, 'store'>): Promise<Consensus | undefined> {
  const text = await store.signedText();
  return text === undefined ? undefined : parseConsensus(text);
}
