import { messageOf } from '../base/errors.ts';
import { type Slot, slotAt, type Timeline } from '../directory/timeline.ts';
import { follow } from './follow.ts';
import { runRound } from './round.ts';
import { type RoundParts } from './round-parts.ts';

/** How often in a period an authority that has missed a consensus asks for it. */
const ASKS_A_PERIOD = 12;

/** Takes part in one slot after the other until aborted; rejects with the signal's reason. */
export async function runRounds(
  timeline: Timeline,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<never> {
  const { policy, time, log } = parts;
  const slotNow = (): Slot => slotAt(time.now(), timeline, policy.authorities.length);
  for (;;) {
    const slot = slotNow();
    const isNow = (): boolean => slotNow().epoch === slot.epoch;
    await waitFor(slot, isNow, { parts, signal });
    if (!isNow()) continue;
    try {
      const outcome = await runRound(slot, parts, signal);
      const said = 'failure' in outcome ? outcome.failure : 'published';
      log.info('a slot has ended', { epoch: slot.epoch, outcome: said });
    } catch (error) {
      signal.throwIfAborted();
      log.error('a slot has failed', { epoch: slot.epoch, reason: messageOf(error) });
      parts.shown.hideSignature();
      while (isNow() && time.now() >= slot.opensMs) await time.sleepUntil(slot.endsMs, signal);
    }
  }
}

/**
 * Until the slot opens, or is not the next any more, because the clock was set. Without the consensus of
 * the slot before, it is asked for, because clients ask us.
 */
async function waitFor(
  slot: Slot,
  isNext: () => boolean,
  { parts, signal }: { readonly parts: RoundParts; readonly signal: AbortSignal },
): Promise<void> {
  const { newest, time } = parts;
  const everyMs = ((slot.freshUntil - slot.validAfter) * 1000) / ASKS_A_PERIOD;
  while (time.now() < slot.opensMs && isNext()) {
    const untilMs = Math.min(time.now() + everyMs, slot.opensMs);
    if (newest.consensus?.epoch !== slot.epoch - 1) await follow(parts, { untilMs, signal });
    await time.sleepUntil(untilMs, signal);
  }
}
