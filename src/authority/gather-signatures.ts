import { parseDetached } from '../directory/detached-signature.ts';
import { type DirectorySource } from '../directory/directory-client.ts';
import { DirectoryError } from '../directory/directory-error.ts';
import { DIRECTORY_KINDS, epochDigest } from '../directory/directory-view.ts';
import { type GatheredSignatures } from '../directory/gathered-signatures.ts';
import { type Slot } from '../directory/timeline.ts';
import { pollPeers } from './poll-peers.ts';
import { type RoundParts } from './round-parts.ts';

export interface GatherOptions {
  readonly slot: Slot;
  readonly gathered: GatheredSignatures;
  /** Whether a text that we do not have is to be asked for, because ours is there or will not be. */
  readonly wantsTexts: () => boolean;
  /** After each signature; says whether the others are of no use any more. */
  readonly onSignature: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

const POLLS = 30;

/** Asks each peer for its signature until it has given one, or the slot has ended. */
export async function gatherSignatures(
  options: GatherOptions,
  { peers, time, log }: Pick<RoundParts, 'peers' | 'time' | 'log'>,
): Promise<void> {
  const { slot, onSignature, signal } = options;
  const everyMs = (slot.endsMs - slot.signsMs) / POLLS;
  const polling = { peers, time, log, untilMs: slot.endsMs, everyMs, signal };
  await pollPeers(polling, async (peer, inner) => {
    if (await onSignature()) return 'all-done';
    try {
      if (!(await takeSignature(peer, options, inner))) return 'again';
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      log.warn('not the signature of an authority', { peer: peer.name, reason: error.code });
      return 'peer-done';
    }
    return (await onSignature()) ? 'all-done' : 'peer-done';
  });
}

/** Whether the peer had one that we could check. */
async function takeSignature(
  peer: DirectorySource,
  { slot, gathered, wantsTexts }: GatherOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = await peer.fetch(DIRECTORY_KINDS.signature, epochDigest(slot.epoch), signal);
  if (bytes.length === 0) return false;
  const signature = parseDetached(bytes);
  if (gathered.hasText(signature.hash)) {
    gathered.add(signature);
    return true;
  }
  if (!wantsTexts()) return false;
  const consensus = await peer.fetch(DIRECTORY_KINDS.consensus, signature.hash, signal);
  if (consensus.length === 0) return false;
  gathered.add(signature, consensus);
  return true;
}
