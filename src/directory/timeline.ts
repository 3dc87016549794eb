import { UserError } from '../base/errors.ts';
import { type ConsensusHead } from './consensus-head.ts';
import { DirectoryError } from './directory-error.ts';
import { CHAIN_SECONDS, MAX_CHAIN, MAX_CONSENSUS_SECONDS } from './limits.ts';

/** When the authorities of a network do what: all of them go by the same one (spec/directory.md section 9). */
export interface Timeline {
  /** From one consensus to the next. */
  readonly periodSeconds: number;
  /** How long a consensus can be used. */
  readonly validSeconds: number;
  /** How long before valid-after the authorities show their votes. */
  readonly voteSeconds: number;
  /** How long before valid-after they count and sign, and how long after it they give up. */
  readonly signSeconds: number;
}

/** One every 6 hours, of use for 24. */
export const USUAL_TIMELINE: Timeline = {
  periodSeconds: 6 * 3600,
  validSeconds: 24 * 3600,
  voteSeconds: 600,
  signSeconds: 300,
};

/**
 * The time in which one consensus is made, or none. What ends in `Ms` is compared with a Clock:
 * milliseconds since the Unix epoch.
 */
export interface Slot {
  /** `validAfter` in periods since 1970. */
  readonly epoch: number;
  /** Unix seconds, as the two that follow. */
  readonly validAfter: number;
  readonly freshUntil: number;
  readonly validUntil: number;
  /**
   * A descriptor published later, in Unix seconds, waits for the next slot: of one that has not reached
   * all of them yet, the authorities would list different versions, and so none.
   */
  readonly publishedUntil: number;
  /** From here on the last consensus is asked for. */
  readonly opensMs: number;
  /** From here on votes are shown. */
  readonly votesMs: number;
  /** A vote that comes by the end of round r, the first being 1, needs the signatures of r authorities. */
  readonly roundEndsMs: readonly number[];
  /** The end of the last round: votes are counted and the consensus is signed. */
  readonly signsMs: number;
  /** From here on the consensus is shown. */
  readonly publishesMs: number;
  /** From here on no signature is shown or taken. */
  readonly endsMs: number;
}

/**
 * As many authorities as may fail in any way, or lie, while the others still agree and are a quorum.
 */
export function faultsBorne(authorities: number): number {
  return Math.floor((authorities - 1) / 2);
}

/**
 * The rounds take the time from voting to signing in equal parts: one more than faults are borne. Each
 * must be longer than clocks differ and two questions to a peer, with a fifth of a round between, take.
 */
export function slotOf(epoch: number, timeline: Timeline, authorities: number): Slot {
  const { periodSeconds, validSeconds, voteSeconds, signSeconds } = timeline;
  const validAfter = epoch * periodSeconds;
  const publishesMs = validAfter * 1000;
  const votesMs = publishesMs - voteSeconds * 1000;
  const roundMs = roundSeconds(timeline, authorities) * 1000;
  const rounds = faultsBorne(authorities) + 1;
  return {
    epoch,
    validAfter,
    freshUntil: validAfter + periodSeconds,
    validUntil: validAfter + validSeconds,
    publishedUntil: validAfter - 2 * voteSeconds,
    opensMs: votesMs - roundMs,
    votesMs,
    roundEndsMs: Array.from({ length: rounds }, (_, index) => votesMs + (index + 1) * roundMs),
    signsMs: publishesMs - signSeconds * 1000,
    publishesMs,
    endsMs: publishesMs + signSeconds * 1000,
  };
}

/** The first slot that has not ended. `now`: milliseconds since the Unix epoch. */
export function slotAt(now: number, timeline: Timeline, authorities: number): Slot {
  const { periodSeconds, signSeconds } = timeline;
  const epoch = Math.floor((now / 1000 - signSeconds) / periodSeconds) + 1;
  return slotOf(epoch, timeline, authorities);
}

/**
 * Whether a vote or a consensus is of the slot.
 * @throws DirectoryError `wrong-network`, `wrong-slot`.
 */
export function checkInSlot(head: ConsensusHead, network: string, slot: Slot): void {
  if (head.network !== network) {
    throw new DirectoryError('wrong-network', `it is of the network ${head.network}`);
  }
  const { epoch, validAfter, freshUntil, validUntil } = head;
  const sameTimes =
    validAfter === slot.validAfter &&
    freshUntil === slot.freshUntil &&
    validUntil === slot.validUntil;
  if (epoch !== slot.epoch || !sameTimes) {
    throw new DirectoryError('wrong-slot', `it is of another time than epoch ${slot.epoch}`);
  }
}

/**
 * A regtest network lives for hours; in any other, whoever was away must find all that was missed until the
 * chain is not asked for any more.
 * @throws UserError when slots would overlap, their consensuses be refused, or clients be shut out.
 */
export function checkTimeline(timeline: Timeline, authorities: number, network: string): void {
  const { periodSeconds, validSeconds, voteSeconds, signSeconds } = timeline;
  if (signSeconds <= 0 || voteSeconds <= signSeconds) {
    throw new UserError('authorities must vote before they sign, and sign before valid-after');
  }
  if (roundSeconds(timeline, authorities) + voteSeconds + signSeconds > periodSeconds) {
    throw new UserError('the period is too short for voting and signing');
  }
  if (validSeconds <= periodSeconds || validSeconds > MAX_CONSENSUS_SECONDS) {
    throw new UserError('a consensus must be valid for longer than a period, and at most 24 h');
  }
  if (network !== 'regtest' && MAX_CHAIN * periodSeconds < validSeconds + CHAIN_SECONDS) {
    throw new UserError('the period is too short for clients that were away for days', {
      hint: `${MAX_CHAIN} periods must be as long as a consensus is valid, and 7 days: 6 h where it is valid for 24.`,
    });
  }
}

function roundSeconds({ voteSeconds, signSeconds }: Timeline, authorities: number): number {
  return (voteSeconds - signSeconds) / (faultsBorne(authorities) + 1);
}
