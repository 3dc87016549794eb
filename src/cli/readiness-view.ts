import type { Step } from '../stack/readiness/step.ts';

const MARKS: Readonly<Record<Step['state'], string>> = {
  waiting: '·',
  working: '…',
  done: '✓',
  skipped: '-',
  failed: '✗',
};

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function markOf({ state }: Step): string {
  return MARKS[state];
}

/** What a step waits for, how far it is, since when, and when it may be done. */
export function describeStep(step: Step, nowMs: number): string {
  const { state, detail, percent, etaSeconds, sinceMs } = step;
  const waited = Math.floor((nowMs - sinceMs) / 1000);
  const parts = [detail];
  if (percent !== undefined) parts.push(`${percent.toFixed(1)} %`);
  if (etaSeconds !== undefined) parts.push(`about ${describeSeconds(etaSeconds)} left`);
  if (state === 'working' && waited >= MINUTE) parts.push(`for ${describeSeconds(waited)}`);
  return parts.join(', ');
}

/** The same as long as nothing has changed that is worth a line in a log of days. */
export function stepKey({ id, state, detail, percent = 0, hint = '' }: Step): string {
  return [id, state, detail.replace(/\d+/g, ''), Math.floor(percent), hint].join('\n');
}

export function stepsKey(steps: readonly Step[]): string {
  return steps.map(stepKey).join('\n');
}

/** A time as a person would say it: two units at most. */
export function describeSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.round(whole / MINUTE)} min`;
  if (whole < DAY) return inUnits(Math.round(whole / MINUTE), { size: 60, names: ['h', 'min'] });
  return inUnits(Math.round(whole / HOUR), { size: 24, names: ['d', 'h'] });
}

function inUnits(
  count: number,
  { size, names: [large, small] }: { readonly size: number; readonly names: [string, string] },
): string {
  const rest = count % size;
  const first = `${Math.floor(count / size)} ${large}`;
  return rest === 0 ? first : `${first} ${rest} ${small}`;
}
