import type { OnionName } from '../home.ts';
import { done, failed, type Judge, MINUTE_MS, working } from './judgement.ts';
import { failureOf, type OnionObservation, valueOf } from './observations.ts';

const STUCK_ADVICE = {
  text:
    'Look whether this machine is online and its clock is right. The watchdog drops tor’s guards ' +
    'after 5, 10 and 20 minutes without progress, then once tor’s cached state, never a key. ' +
    '`sotto logs watchdog` shows what it did.',
  afterMs: 5 * MINUTE_MS,
};
const GIVEN_UP_HINT =
  'Is this machine online, is its clock right, and does its network let Tor through? tor goes on trying.';
const SILENT_ADVICE = {
  text: '`sotto logs tor` shows why tor does not start.',
  afterMs: MINUTE_MS / 2,
};
const UNPUBLISHED_ADVICE = {
  text: 'tor publishes again by itself. If it does not: `sotto restart tor`.',
  afterMs: 5 * MINUTE_MS,
};

export const judgeTor: Judge = ({ tor }) => {
  const seen = valueOf(tor);
  if (seen === undefined) return working(failureOf(tor), SILENT_ADVICE);
  const { bootstrapPercent, summary, circuitEstablished, dormant, isGivenUp } = seen;
  const isConnected = dormant || (bootstrapPercent === 100 && circuitEstablished);
  if (isGivenUp && !isConnected) return failed('the watchdog has tried all it can', GIVEN_UP_HINT);
  if (bootstrapPercent < 100) {
    return { ...working(summary.toLowerCase(), STUCK_ADVICE), progress: bootstrapPercent / 100 };
  }
  if (!circuitEstablished && !dormant) return working('has no circuit', STUCK_ADVICE);
  return done(dormant ? 'at rest, because nobody uses it' : 'connected');
};

export const judgeOnions: Judge = ({ tor }, { subject }) => {
  const seen = valueOf(tor);
  if (seen === undefined) return working(failureOf(tor));
  const missing = subject.onions.filter((name) => !isPublished(seen.onions[name]));
  if (missing.length === 0) return done(list(subject.onions));
  return working(`waits for ${list(missing)}`, UNPUBLISHED_ADVICE);
};

/**
 * tor uploads a descriptor as soon as its introduction points are ready. Who came too late to hear
 * what the directories said goes by those; that clients find the onion, a later step proves.
 */
function isPublished({ hasDescriptor, introductions, uploads }: OnionObservation): boolean {
  return uploads === 'stored' || (uploads === 'unheard' && hasDescriptor && introductions > 0);
}

function list(names: readonly OnionName[]): string {
  return names.join(', ');
}
