import { randomInt } from 'node:crypto';
import { type Lookup } from '../lookup/lookup.ts';
import { fastSchedule, hintedSchedule, type Schedule, steadySchedule } from '../lookup/schedule.ts';

export type ScheduleName = 'steady' | 'fast';

const MINUTE_MS = 60_000;
const FAST = { everyMs: 10 * MINUTE_MS, windowMs: 20_000 };
const HINTED = { everyMs: 30 * MINUTE_MS, windowMs: 2_000 };
/** What `randomInt` can draw from at the most is just short of 2^48. */
const FRACTIONS = 2 ** 47;

/** The schedule of that name for gateways; for one's own server the only one that it needs. */
export function chooseSchedule(
  { pollMeanMs }: Pick<Lookup, 'pollMeanMs'>,
  name: ScheduleName,
): Schedule {
  if (pollMeanMs === undefined) return hintedSchedule({ ...HINTED, random });
  if (name === 'fast') return fastSchedule({ ...FAST, random });
  return steadySchedule({ meanMs: pollMeanMs, random });
}

/** Whoever sees some of the moments must not be able to work out the others. */
function random(): number {
  return randomInt(FRACTIONS) / FRACTIONS;
}
