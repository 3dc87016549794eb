import { type Timeline } from '../directory/timeline.ts';

/** Rounds of a second and a half: onions of one machine answer in milliseconds, and it has one clock. */
const VOTE_SECONDS = 5;
const SIGN_SECONDS = 2;
const VALID_SECONDS = 86_400;
/** Often enough that a node which comes or goes is seen to, and seldom enough to cost little. */
const [SHORTEST_PERIOD, LONGEST_PERIOD] = [30, 50];

/**
 * A timeline whose next consensus is due soon after all nodes have published their descriptors. Slots
 * are multiples of the period since 1970, so that the period decides when the next one is.
 * @param published Unix seconds; descriptors published until then are in the first consensus.
 */
export function devnetTimeline(published: number): Timeline {
  const earliest = Math.ceil(published) + 2 * VOTE_SECONDS;
  let best = SHORTEST_PERIOD;
  for (let period = SHORTEST_PERIOD; period <= LONGEST_PERIOD; period += 1) {
    if (waitFor(period, earliest) < waitFor(best, earliest)) best = period;
  }
  return {
    periodSeconds: best,
    validSeconds: VALID_SECONDS,
    voteSeconds: VOTE_SECONDS,
    signSeconds: SIGN_SECONDS,
  };
}

function waitFor(period: number, earliest: number): number {
  return Math.ceil(earliest / period) * period - earliest;
}
